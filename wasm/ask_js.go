package main

import (
	"context"
	"errors"
	"syscall/js"

	"mqttwasm/wasm/mqtt"
)

// The page is asked through callbacks, which return a Promise. Neither what they throw
// nor what they return may end the program.

// ask calls a function of the page and waits for its result.
func ask(ctx context.Context, f js.Value, args ...any) (js.Value, error) {
	result, err := invoke(f, args...)
	if err != nil {
		return js.Undefined(), err
	}
	return await(ctx, result)
}

// invoke calls a function of the page.
func invoke(f js.Value, args ...any) (js.Value, error) {
	return try(func() js.Value { return f.Invoke(args...) })
}

// callMethod calls a method of an object of the page.
func callMethod(object js.Value, name string, args ...any) (js.Value, error) {
	return try(func() js.Value { return object.Call(name, args...) })
}

// try runs f, and returns as an error what the JavaScript in it throws.
func try(f func() js.Value) (js.Value, error) {
	v, thrown := catch(f)
	if thrown != nil {
		return v, thrownError(thrown.Value)
	}
	return v, nil
}

// catch runs f. When the JavaScript in it throws, it returns undefined and what was
// thrown.
func catch(f func() js.Value) (v js.Value, thrown *js.Error) {
	defer func() {
		if r := recover(); r != nil {
			e, ok := r.(js.Error)
			if !ok {
				panic(r)
			}
			v, thrown = js.Undefined(), &e
		}
	}()
	return f(), nil
}

// await waits until a Promise settles. Any other value it returns as it is. When ctx
// ends first, the outcome is ignored.
func await(ctx context.Context, v js.Value) (js.Value, error) {
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	var resolve, reject js.Func
	settle := func(o outcome) {
		resolve.Release()
		reject.Release()
		settled <- o // once: Promise.resolve turns every thenable into a Promise that settles once
	}
	resolve = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settle(outcome{value: argument(args, 0)})
		return nil
	})
	reject = js.FuncOf(func(_ js.Value, args []js.Value) any {
		settle(outcome{err: thrownError(argument(args, 0))})
		return nil
	})
	promiseClass.Call("resolve", v).Call("then", resolve, reject)
	select {
	case o := <-settled:
		return o.value, o.err
	case <-ctx.Done():
		return js.Undefined(), ctx.Err()
	}
}

// thrownError keeps the code of an MqttError.
func thrownError(v js.Value) error {
	p := parser{}
	v = p.accept("error", v)
	switch v.Type() {
	case js.TypeString:
		return errors.New(v.String())
	case js.TypeObject, js.TypeFunction:
		message, code, field := textProperty(v, "message"), textProperty(v, "code"), textProperty(v, "field")
		if message != "" && code != "" {
			return &mqtt.Error{Code: mqtt.Code(code), Message: message, Field: field}
		}
		if message != "" {
			return errors.New(message)
		}
	}
	return errors.New("the callback threw something that is not an Error")
}

// textProperty reads a property that is a string; "" if it is not one.
func textProperty(v js.Value, name string) string {
	p := parser{}
	if field, ok := property(v, name); ok {
		if field = p.accept(name, field); field.Type() == js.TypeString {
			return field.String()
		}
	}
	return ""
}

// report logs an exception in a callback that no caller would hear of otherwise.
func report(err error) {
	if err != nil {
		js.Global().Get("console").Call("error", "mqttwasm: a callback failed: "+err.Error())
	}
}

// prepare calls onAttempt, and applies what it returns.
func prepare(ctx context.Context, onAttempt js.Value, a *mqtt.Attempt) error {
	v, err := ask(ctx, onAttempt, map[string]any{"url": a.URL, "attempt": a.Number})
	if err != nil {
		return err
	}
	p := parse(v)
	if url := p.text("url"); url != "" {
		a.URL = url
	}
	if !p.get("username").IsUndefined() {
		a.Username = p.text("username")
	}
	if !p.get("password").IsUndefined() {
		a.Password = p.bytes("password")
	}
	return p.err
}
