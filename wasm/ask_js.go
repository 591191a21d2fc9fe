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
func invoke(f js.Value, args ...any) (result js.Value, err error) {
	defer recoverThrown(&err)
	return f.Invoke(args...), nil
}

// callMethod calls a method of an object of the page.
func callMethod(object js.Value, name string, args ...any) (result js.Value, err error) {
	if object.Get(name).Type() != js.TypeFunction {
		return js.Undefined(), &mqtt.Error{Code: mqtt.BadOption, Field: name, Message: name + ": must be a function"}
	}
	defer recoverThrown(&err)
	return object.Call(name, args...), nil
}

// recoverThrown makes an error of a JavaScript exception.
func recoverThrown(err *error) {
	if r := recover(); r != nil {
		thrown, ok := r.(js.Error)
		if !ok {
			panic(r)
		}
		*err = thrownError(thrown.Value)
	}
}

// await waits until a Promise settles. What is no Promise is returned as it is.
func await(ctx context.Context, v js.Value) (result js.Value, err error) {
	defer recoverThrown(&err)
	if v.Type() != js.TypeObject || v.Get("then").Type() != js.TypeFunction {
		return v, nil
	}
	type outcome struct {
		value js.Value
		err   error
	}
	settled := make(chan outcome, 1)
	var resolve, reject js.Func
	settle := func(o outcome) any {
		resolve.Release()
		reject.Release()
		select {
		case settled <- o:
		default: // it has settled before, whatever a Promise should do
		}
		return nil
	}
	resolve = js.FuncOf(func(_ js.Value, args []js.Value) any { return settle(outcome{value: argument(args, 0)}) })
	reject = js.FuncOf(func(_ js.Value, args []js.Value) any { return settle(outcome{err: thrownError(argument(args, 0))}) })
	if _, err := callMethod(v, "then", resolve, reject); err != nil {
		settle(outcome{err: err})
	}
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
	if t := v.Type(); t == js.TypeObject || t == js.TypeFunction {
		p.value = v
	} else if t == js.TypeString {
		return errors.New(v.String())
	}
	message, code, field := p.text("message"), p.text("code"), p.text("field")
	switch {
	case p.err != nil || message == "":
		return errors.New("the page threw something that is no Error")
	case code == "":
		return errors.New(message)
	}
	return &mqtt.Error{Code: mqtt.Code(code), Message: message, Field: field}
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
	p := parser{value: v}
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
