package transport

import (
	"bytes"
	"context"
	"errors"

	"mqttwasm/wasm/mqtt/internal/wire"
)

// Mechanism is mqtt.Authenticator. Its errors become those of the connection: one that has,
// or wraps one that has,
//
//	MQTTRefused() (words string, refused bool) // the server's refusal, if true
//	MQTTReason() byte                          // of a violation, if not 0
//
// as these say; a [*wire.Error] as it is; others as Aborted.
type Mechanism interface {
	Method() string
	Start(ctx context.Context) ([]byte, error)
	Continue(ctx context.Context, challenge []byte) ([]byte, error)
	Finish(ctx context.Context, data []byte) error
}

// Authenticator calls a Mechanism, each time on a goroutine of its own, so that no
// caller waits longer than its context. One serves all connections of a client, also at
// the same time: a call that outlasts its context holds up the next one, so the
// Mechanism needs no locks.
type Authenticator struct {
	of     Mechanism
	method string
	turn   chan struct{}
}

// NewAuthenticator returns the Authenticator of a Mechanism; nil of nil.
func NewAuthenticator(of Mechanism) *Authenticator {
	if of == nil {
		return nil
	}
	return &Authenticator{of: of, method: of.Method(), turn: make(chan struct{}, 1)}
}

// Start begins an exchange, and returns the authentication data for CONNECT. It
// waits for the Mechanism as long as ctx lasts.
func (a *Authenticator) Start(ctx context.Context) ([]byte, error) { return a.call(ctx, a.of.Start) }

func (a *Authenticator) answer(ctx context.Context, challenge []byte) ([]byte, error) {
	return a.call(ctx, func(ctx context.Context) ([]byte, error) { return a.of.Continue(ctx, challenge) })
}

func (a *Authenticator) finish(ctx context.Context, data []byte) error {
	_, err := a.call(ctx, func(ctx context.Context) ([]byte, error) { return nil, a.of.Finish(ctx, data) })
	return err
}

func (a *Authenticator) call(ctx context.Context, f func(context.Context) ([]byte, error)) ([]byte, error) {
	select {
	case a.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, authError(ctx, ctx.Err())
	}
	type outcome struct {
		data []byte
		err  error
	}
	ch := make(chan outcome, 1)
	go func() {
		defer func() { <-a.turn }()
		if ctx.Err() != nil {
			return // select may have picked the other case
		}
		data, err := f(ctx)
		ch <- outcome{data, err}
	}()
	var o outcome
	select {
	case o = <-ch:
	case <-ctx.Done():
		o.err = ctx.Err()
	}
	switch {
	case o.err != nil:
		return nil, authError(ctx, o.err)
	case len(o.data) > wire.MaxString:
		return nil, wire.Invalid("authenticate", "returned %d bytes; at most 65,535 fit into a packet", len(o.data))
	}
	return o.data, nil
}

// authError converts a Mechanism's error.
func authError(ctx context.Context, err error) error {
	const what = "authentication"
	var refusal interface{ MQTTRefused() (string, bool) }
	var violation interface{ MQTTReason() byte }
	if typed, ok := errors.AsType[*wire.Error](err); ok {
		return typed
	}
	if errors.As(err, &refusal) {
		if words, refused := refusal.MQTTRefused(); refused {
			e := wire.RefusedError(what, wire.ReasonNotAuthorized, words)
			e.Err = err
			return e
		}
	}
	if errors.As(err, &violation) && violation.MQTTReason() != 0 {
		e := wire.Violation(violation.MQTTReason(), "%s", err.Error())
		e.Err = err
		return e
	}
	if ctx.Err() != nil {
		return wire.ContextError(ctx, what)
	}
	return &wire.Error{Code: wire.Aborted, Message: what + ": " + err.Error(), Err: err}
}

// exchange is one authentication or re-authentication. Conn.mu guards it.
type exchange struct {
	ctx     context.Context
	cancel  context.CancelFunc
	ourTurn bool       // the client sends next
	sent    bool       // the broker knows of it, so the broker ends it
	done    chan error // receives once
}

func newExchange(ctx context.Context) *exchange {
	ex := &exchange{done: make(chan error, 1)}
	ex.ctx, ex.cancel = context.WithCancel(ctx)
	return ex
}

// authReceived takes an AUTH packet. It does not wait for the Authenticator.
func (c *Conn) authReceived(p wire.Auth) error {
	if string(p.Method) != c.cfg.AuthMethod { // [MQTT-4.12.0-5]
		return wire.Violation(wire.ReasonProtocolError, "AUTH names the authentication method %q, CONNECT named %q", p.Method, c.cfg.AuthMethod)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	ex := c.exchange
	switch {
	case ex == nil || ex.ourTurn:
		return wire.Violation(wire.ReasonProtocolError, "AUTH that was not asked for")
	case p.Reason == wire.ReasonSuccess && c.phase == connecting:
		return wire.Violation(wire.ReasonProtocolError, "AUTH reports success where CONNACK should")
	case c.state == closing:
		return nil
	}
	ex.ourTurn = true
	data := bytes.Clone(p.Data)
	c.wg.Go(func() { c.respond(ex, p.Reason, data) })
	return nil
}

// authAccepted takes the authentication properties of CONNACK. The reader waits here until
// the server has proved its identity: nothing is accepted from, or sent to, one that can't.
func (c *Conn) authAccepted(method string, data []byte) error {
	authenticator := c.cfg.Authenticator
	if authenticator == nil && (c.cfg.AuthMethod == "" || method == "") {
		return nil
	}
	if method != c.cfg.AuthMethod { // [MQTT-4.12.0-5]
		return wire.Violation(wire.ReasonProtocolError, "CONNACK names the authentication method %q, CONNECT named %q", method, c.cfg.AuthMethod)
	}
	if authenticator == nil {
		return nil
	}
	c.mu.Lock()
	ex := c.exchange
	answered := ex != nil && !ex.ourTurn
	c.mu.Unlock()
	if !answered {
		return wire.Violation(wire.ReasonProtocolError, "CONNACK before the broker's AUTH was answered")
	}
	if err := authenticator.finish(ex.ctx, data); err != nil {
		c.fail(err, wire.ReasonUnspecified)
		return errEnded
	}
	c.settle(ex, nil)
	return nil
}

// respond lets the Authenticator answer an AUTH packet.
func (c *Conn) respond(ex *exchange, reason byte, data []byte) {
	var err error
	if reason == wire.ReasonSuccess {
		if err = c.cfg.Authenticator.finish(ex.ctx, data); err == nil {
			c.settle(ex, nil)
		}
	} else if data, err = c.cfg.Authenticator.answer(ex.ctx, data); err == nil {
		err = c.sendAuth(ex, wire.ReasonContinueAuthentication, data)
	}
	if err != nil { // [MQTT-4.12.1-2]; one caused by the connection's end changes nothing
		c.fail(err, wire.ReasonUnspecified)
	}
}

// sendAuth sends AUTH, after which it is the broker's turn. It does nothing if the
// exchange or the connection has ended meanwhile.
func (c *Conn) sendAuth(ex *exchange, reason byte, data []byte) error {
	packet := wire.EncodeAuth(reason, c.cfg.AuthMethod, data)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.exchange != ex || c.state != running {
		return nil
	}
	if err := c.send(packet); err != nil {
		return err
	}
	ex.ourTurn, ex.sent = false, true
	return nil
}

// Reauthenticate authenticates once more on this connection (4.12.1), and waits
// for the outcome, as mqtt.Client.Reauthenticate says.
func (c *Conn) Reauthenticate(ctx context.Context) error {
	const what = "re-authenticate"
	if c.cfg.Authenticator == nil {
		return wire.Invalid("authenticate", "is missing; re-authentication needs one")
	}
	ex, err := c.reauthenticate()
	if err != nil {
		return err
	}
	select {
	case err := <-ex.done:
		return err
	case <-c.ctx.Done():
		select {
		case err := <-ex.done: // before
			return err
		default:
			return c.lost(what)
		}
	case <-ctx.Done():
		err := wire.ContextError(ctx, what)
		c.mu.Lock()
		defer c.mu.Unlock()
		if !ex.sent {
			c.settleLocked(ex, err)
		}
		return err
	}
}

// reauthenticate begins an exchange.
func (c *Conn) reauthenticate() (*exchange, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.phase != open || c.state != running:
		return nil, wire.NoConnection()
	case c.exchange != nil:
		return nil, wire.Invalid("authenticate", "is busy with another re-authentication; wait until it ends")
	}
	ex := newExchange(c.ctx)
	ex.ourTurn = true
	c.exchange = ex
	c.wg.Go(func() {
		data, err := c.cfg.Authenticator.Start(ex.ctx)
		if err == nil {
			err = c.sendAuth(ex, wire.ReasonReauthenticate, data)
		}
		if err != nil {
			c.settle(ex, err)
		}
	})
	return ex, nil
}

func (c *Conn) settle(ex *exchange, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settleLocked(ex, err)
}

// settleLocked ends an exchange, once. While the connection closes it does nothing:
// Reauthenticate then fails with the cause of that. The caller holds mu.
func (c *Conn) settleLocked(ex *exchange, err error) {
	if c.exchange != ex || c.state == closing {
		return
	}
	c.exchange = nil
	ex.cancel()
	ex.done <- err
}
