package main

import (
	"context"
	"syscall/js"

	"mqttwasm/wasm/mqtt"
)

// pageAuth is onAuthenticate of the page as the core's Authenticator.
type pageAuth struct {
	method string
	answer js.Value
}

func (a *pageAuth) Method() string { return a.method }

func (a *pageAuth) Start(ctx context.Context) ([]byte, error) { return a.ask(ctx, "start", nil) }

func (a *pageAuth) Continue(ctx context.Context, challenge []byte) ([]byte, error) {
	return a.ask(ctx, "continue", challenge)
}

func (a *pageAuth) Finish(ctx context.Context, data []byte) error {
	_, err := a.ask(ctx, "success", data)
	return err
}

func (a *pageAuth) ask(ctx context.Context, phase string, data []byte) ([]byte, error) {
	step := map[string]any{"phase": phase, "method": a.method}
	if data != nil {
		step["data"] = bytesValue(data)
	}
	v, err := ask(ctx, a.answer, step)
	if err != nil {
		return nil, err
	}
	p := parser{}
	answer := p.asBytes("authenticate", p.accept("authenticate", v))
	return answer, p.err
}

// authenticator reads onAuthenticate, whose presence asks for enhanced authentication.
func (p *parser) authenticator(o *mqtt.Options) {
	onAuthenticate := p.function("onAuthenticate")
	if onAuthenticate.IsUndefined() {
		return
	}
	if o.AuthMethod == "" {
		p.bad("properties.authenticationMethod", "is missing")
	}
	o.Authenticator = &pageAuth{o.AuthMethod, onAuthenticate}
	o.AuthMethod = ""
}
