package main

import (
	"context"
	"errors"
	"syscall/js"

	"mqttwasm/wasm/mqtt"
)

// The page is asked through functions that it gave, and answers with a Promise.
// Neither its exceptions nor its nonsense may end the program.

// ask calls a function of the page and waits for what it says.
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

// try runs f and makes an error of what the JavaScript that it calls throws.
func try(f func() js.Value) (js.Value, error) {
	v, thrown := catch(f)
	if thrown != nil {
		return v, thrownError(thrown.Value)
	}
	return v, nil
}

// catch runs f, and returns undefined and what was thrown when the JavaScript that
// it calls throws.
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

// await waits until a Promise settles. What is no Promise it returns as it is.
// When ctx ends first, what comes later is not looked at.
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
		settled <- o // once: promiseClass makes an honest Promise of every thenable
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

// thrownError keeps the code of an error that has one of ours.
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
	return errors.New("the page threw something that is no Error")
}

// textProperty reads a property that is a string; "" when it is none.
func textProperty(v js.Value, name string) string {
	p := parser{}
	if field, ok := property(v, name); ok {
		if field = p.accept(name, field); field.Type() == js.TypeString {
			return field.String()
		}
	}
	return ""
}

// report tells the developer of an exception in a callback that has nobody else
// to tell.
func report(err error) {
	if err != nil {
		js.Global().Get("console").Call("error", "mqttwasm: a callback failed: "+err.Error())
	}
}

// prepare asks onAttempt, and takes over what it answers.
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
