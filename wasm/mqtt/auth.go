package mqtt

import (
	"bytes"
	"context"
	"errors"
	"sync"
)

// Authenticator does enhanced authentication (4.12); [ScramSHA256] makes one.
// Its methods are called one after the other, never on the goroutine that reads
// from the broker, so they may take their time. Their ctx ends with the attempt
// to connect, or with the connection. They return an [*Error], or any other
// error, which is then wrapped in one with Aborted.
type Authenticator interface {
	// Method is the Authentication Method, such as "SCRAM-SHA-256".
	Method() string
	// Start begins an exchange, at every attempt to connect and every
	// re-authentication, and returns the data that the broker gets first; nil:
	// none. An error fails the attempt or the re-authentication.
	Start(ctx context.Context) ([]byte, error)
	// Continue answers what the broker asks. An error ends the connection.
	Continue(ctx context.Context, challenge []byte) ([]byte, error)
	// Finish judges what came with the broker's word that it is satisfied, such
	// as its signature; data may be empty. Until it has returned nil nothing
	// else is taken from a new connection. An error ends the connection.
	Finish(ctx context.Context, data []byte) error
}

// Reauthenticate proves the client's identity once more, on the connection
// there is (4.12.1), and waits for the outcome. It fails with BadOption without
// Options.Authenticator or while another one is under way, with NotConnected,
// with what Start returned, or with the reason for which the connection ended:
// Disconnected when the broker refused. With Timeout or Aborted the exchange goes
// on by itself, if the broker was asked by then.
func (c *Client) Reauthenticate(ctx context.Context) error {
	if c.auth == nil {
		return badOption("authenticator", "is missing; re-authentication needs one")
	}
	c.mu.Lock()
	conn := c.conn
	if c.leaving {
		conn = nil
	}
	c.mu.Unlock()
	if conn == nil {
		return c.notConnected()
	}
	return conn.link.auth.reauthenticate(ctx)
}

// authenticate begins the authentication of a connection that is to be made.
func (c *Client) authenticate(ctx context.Context) (*authentication, error) {
	a := &authentication{calls: c.auth, method: c.opts.AuthMethod, data: c.opts.AuthData}
	if c.auth == nil {
		return a, nil
	}
	var err error
	a.method = c.auth.method
	a.open = newExchange(ctx)
	a.open.sent = true // with CONNECT
	a.data, err = c.auth.start(ctx)
	return a, err
}

// authentication is what one link needs to know of enhanced authentication. The
// reader takes its part in received and accepted.
type authentication struct {
	link   *link
	calls  *authCalls // nil: none
	method string     // that CONNECT names
	data   []byte     // that CONNECT carries
	limit  int        // the broker's Maximum Packet Size, bytes; 0: none

	mu   sync.Mutex
	open *exchange // nil while none is under way
	over bool      // the connection has ended
}

// exchange is one authentication, of a connection or again.
type exchange struct {
	ctx    context.Context
	cancel context.CancelFunc
	ours   bool       // it is our turn to speak
	sent   bool       // the broker knows of it, so it is the broker's to end
	done   chan error // receives once
}

func newExchange(ctx context.Context) *exchange {
	ex := &exchange{done: make(chan error, 1)}
	ex.ctx, ex.cancel = context.WithCancel(ctx)
	return ex
}

// received takes an AUTH packet. It must not wait.
func (a *authentication) received(p authPacket) error {
	if string(p.method) != a.method { // [MQTT-4.12.0-5]
		return violation(reasonProtocolError, "AUTH names the authentication method %q, CONNECT named %q", p.method, a.method)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	ex := a.open
	switch {
	case ex == nil || ex.ours:
		return violation(reasonProtocolError, "AUTH that was not asked for")
	case p.reason == reasonNormal && !a.link.connected:
		return violation(reasonProtocolError, "AUTH says success where CONNACK should")
	}
	ex.ours = true
	go a.respond(ex, p.reason, bytes.Clone(p.data))
	return nil
}

// accepted takes the CONNACK that accepts the connection. The reader waits here
// until the server has proved itself, so that nothing is taken from one that
// can't, and paho sends it nothing.
func (a *authentication) accepted(properties []byte) error {
	method, named := findProperty(properties, propAuthMethod)
	if a.calls == nil && (a.method == "" || !named) {
		return nil
	}
	if string(method) != a.method { // [MQTT-4.12.0-5]
		return violation(reasonProtocolError, "CONNACK names the authentication method %q, CONNECT named %q", method, a.method)
	}
	if a.calls == nil {
		return nil
	}
	a.mu.Lock()
	ex := a.open
	answered := ex != nil && !ex.ours
	a.mu.Unlock()
	if !answered {
		return violation(reasonProtocolError, "CONNACK before the broker's AUTH was answered")
	}
	if size, ok := findProperty(properties, propMaximumPacketSize); ok {
		r := reader{rest: size}
		a.limit = int(r.uint32())
	}
	data, _ := findProperty(properties, propAuthData)
	if err := a.calls.finish(ex.ctx, bytes.Clone(data)); err != nil {
		return err
	}
	a.settle(ex, nil)
	return nil
}

// respond lets the Authenticator answer an AUTH packet.
func (a *authentication) respond(ex *exchange, reason byte, data []byte) {
	var err error
	if reason == reasonNormal {
		if err = a.calls.finish(ex.ctx, data); err == nil {
			a.settle(ex, nil)
		}
	} else if data, err = a.calls.next(ex.ctx, data); err == nil {
		err = a.send(ex, reasonContinueAuth, data)
	}
	if err != nil && a.isOpen(ex) { // [MQTT-4.12.1-2]
		_ = a.link.fail(err)
		_ = a.link.Close() // which settles the exchange
	}
}

// send writes AUTH, after which it is the broker's turn.
func (a *authentication) send(ex *exchange, reason byte, data []byte) error {
	frame := encodeAuth(reason, a.method, data)
	if a.limit > 0 && len(frame) > a.limit { // [MQTT-3.2.2-15]
		e := newError(PacketTooLarge, "authentication: AUTH would have %d bytes; the broker's Maximum Packet Size is %d", len(frame), a.limit)
		e.ReasonCode = reasonPacketTooLarge
		return e
	}
	a.mu.Lock()
	if a.open != ex {
		a.mu.Unlock()
		return nil
	}
	ex.ours, ex.sent = false, true // before the broker can answer
	a.mu.Unlock()
	_ = a.link.writeOnce(frame) // a failed write shows as the end of the connection
	return nil
}

// reauthenticate authenticates once more.
func (a *authentication) reauthenticate(ctx context.Context) error {
	ex := newExchange(context.Background())
	ex.ours = true
	a.mu.Lock()
	if a.over || a.open != nil {
		over := a.over
		a.mu.Unlock()
		ex.cancel()
		if over {
			return newError(NotConnected, "there is no connection to the broker")
		}
		return badOption("authenticator", "is busy with another re-authentication; wait for that to end")
	}
	a.open = ex
	a.mu.Unlock()
	go func() {
		data, err := a.calls.start(ex.ctx)
		if err == nil {
			err = a.send(ex, reasonReauthenticate, data)
		}
		if err != nil {
			a.settle(ex, err)
		}
	}()
	select {
	case err := <-ex.done:
		return err
	case <-ctx.Done():
		err := fromContext(ctx, "re-authenticate")
		a.mu.Lock()
		defer a.mu.Unlock()
		if !ex.sent {
			a.close(ex, err)
		}
		return err
	}
}

// lost settles what is under way with the reason for which the connection ended.
func (a *authentication) lost(cause error) {
	if cause == nil {
		cause = newError(Aborted, "the client was disconnected")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.over = true
	a.close(a.open, cause)
}

func (a *authentication) isOpen(ex *exchange) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.open == ex
}

func (a *authentication) settle(ex *exchange, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.close(ex, err)
}

// close settles an exchange, once. The caller holds mu.
func (a *authentication) close(ex *exchange, err error) {
	if ex == nil || a.open != ex {
		return
	}
	a.open = nil
	ex.cancel()
	ex.done <- err
}

// authCalls calls an Authenticator, each time on a goroutine of its own, since
// nobody must wait for it beyond ctx. A call that outlasts its ctx holds up the
// next one: the Authenticator needs no locks.
type authCalls struct {
	of     Authenticator
	method string
	turn   chan struct{}
}

func newAuthCalls(of Authenticator) *authCalls {
	if of == nil {
		return nil
	}
	return &authCalls{of: of, method: of.Method(), turn: make(chan struct{}, 1)}
}

func (c *authCalls) start(ctx context.Context) ([]byte, error) { return c.call(ctx, c.of.Start) }

func (c *authCalls) next(ctx context.Context, challenge []byte) ([]byte, error) {
	return c.call(ctx, func(ctx context.Context) ([]byte, error) { return c.of.Continue(ctx, challenge) })
}

func (c *authCalls) finish(ctx context.Context, data []byte) error {
	_, err := c.call(ctx, func(ctx context.Context) ([]byte, error) { return nil, c.of.Finish(ctx, data) })
	return err
}

func (c *authCalls) call(ctx context.Context, f func(context.Context) ([]byte, error)) ([]byte, error) {
	const what = "authentication"
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, fromContext(ctx, what)
	}
	type outcome struct {
		data []byte
		err  error
	}
	ch := make(chan outcome, 1)
	go func() {
		defer func() { <-c.turn }()
		if ctx.Err() != nil {
			return // of two things to select, either may have been taken
		}
		data, err := f(ctx)
		ch <- outcome{data, err}
	}()
	var o outcome
	select {
	case o = <-ch:
	case <-ctx.Done():
		return nil, fromContext(ctx, what)
	}
	var typed *Error
	switch {
	case errors.As(o.err, &typed):
		return nil, typed
	case o.err != nil && ctx.Err() != nil:
		return nil, fromContext(ctx, what)
	case o.err != nil:
		return nil, &Error{Code: Aborted, Message: what + ": " + o.err.Error(), Err: o.err}
	case len(o.data) > maxString:
		return nil, badOption("authenticator", "returned %d bytes; at most 65,535 fit into a packet", len(o.data))
	}
	return o.data, nil
}

// checkAuthenticator checks Options.Authenticator against what it replaces.
func (o *Options) checkAuthenticator() error {
	if o.Authenticator == nil {
		return nil
	}
	if o.AuthMethod != "" || o.AuthData != nil {
		return badOption("properties.authenticationMethod", "and authenticationData come from the authenticator; leave them unset")
	}
	method := o.Authenticator.Method()
	if method == "" {
		return badOption("authenticator", "names no authentication method")
	}
	return checkText("authenticator", method)
}
