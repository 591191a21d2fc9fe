package main

import (
	"context"
	"syscall/js"
	"time"

	"mqttwasm/wasm/mqtt"
)

// deferred is a Promise and the two functions that settle it.
type deferred struct{ promise, resolve, reject js.Value }

func newDeferred() (d deferred) {
	executor := js.FuncOf(func(_ js.Value, args []js.Value) any {
		d.resolve, d.reject = args[0], args[1]
		return nil
	})
	defer executor.Release() // the constructor has called it
	d.promise = promiseClass.New(executor)
	return d
}

// settle resolves with value, or rejects with err.
func (d deferred) settle(value any, err error) {
	if err != nil {
		d.reject.Invoke(errorValue(err))
		return
	}
	d.resolve.Invoke(value)
}

// rejected returns a Promise that failed.
func rejected(err error) js.Value {
	d := newDeferred()
	d.settle(nil, err)
	return d.promise
}

const defaultTimeout = 30_000 // milliseconds

// watch calls expire when the call's timeout is over or its signal fires, until the
// returned function is called. The default timeout is in milliseconds; 0: none. If the
// signal has fired already, or p has an error, watch returns an error.
func watch(p *parser, defaultMilliseconds int, expire func(cause error)) (stop func(), err error) {
	ms := p.integer("timeout", 0, maxMilliseconds, defaultMilliseconds)
	signal := p.object("signal")
	if p.err != nil {
		return nil, p.err
	}
	stopSignal := func() {}
	if !signal.IsUndefined() {
		aborted, ok := property(signal, "aborted")
		if !ok || p.accept("signal", aborted).Type() != js.TypeBoolean {
			p.bad("signal", "must be an AbortSignal")
			return nil, p.err
		}
		if aborted.Bool() {
			return nil, &mqtt.Error{Code: mqtt.Aborted, Message: "aborted by the caller before it began"}
		}
		abort := js.FuncOf(func(js.Value, []js.Value) any {
			go expire(context.Canceled)
			return nil
		})
		if _, ok := guarded(func() js.Value { return signal.Call("addEventListener", "abort", abort) }); !ok {
			abort.Release()
			p.bad("signal", "must be an AbortSignal")
			return nil, p.err
		}
		stopSignal = func() {
			guarded(func() js.Value { return signal.Call("removeEventListener", "abort", abort) })
			abort.Release()
		}
	}
	if ms == 0 {
		return stopSignal, nil
	}
	timer := time.AfterFunc(time.Duration(ms)*time.Millisecond, func() { expire(context.DeadlineExceeded) })
	return func() {
		timer.Stop()
		stopSignal()
	}, nil
}

// call runs f on a goroutine, with the timeout and signal of options as in watch, and
// returns a Promise of its result.
func call(options *parser, defaultMilliseconds int, f func(context.Context) (any, error)) js.Value {
	ctx, cancel := context.WithCancelCause(context.Background())
	stop, err := watch(options, defaultMilliseconds, cancel)
	if err != nil {
		return rejected(err)
	}
	d := newDeferred()
	go func() {
		defer cancel(nil)
		value, err := f(ctx)
		stop()
		d.settle(value, err)
	}()
	return d.promise
}
