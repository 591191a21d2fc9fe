package wsconn

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall/js"
	"testing"
)

// scripted is a WebSocket class whose network is the test: what it sends is
// kept in sent, and the methods after the first line play the server.
const scripted = `(class extends EventTarget {
	constructor(url, protocols) {
		super();
		Object.assign(this, { url, protocol: protocols[0], sent: [], bufferedAmount: 0, readyState: 0 });
		if (url === 'ws://throws/') throw new SyntaxError('bad URL');
		setTimeout(() => url === 'ws://fails/' ? this.end(1006, '') : this.open());
	}
	open() { this.readyState = 1; this.dispatchEvent(new Event('open')); }
	deliver(...texts) {
		for (const t of texts) this.dispatchEvent(Object.assign(new Event('message'), { data: new TextEncoder().encode(t).buffer }));
	}
	end(code, reason) {
		this.readyState = 3;
		this.dispatchEvent(Object.assign(new Event('close'), { code, reason, wasClean: code !== 1006 }));
	}
	send(bytes) { this.sent.push(new TextDecoder().decode(bytes)); }
	close(code, reason) { this.closedWith = code; setTimeout(() => this.end(code, reason)); }
	text() { return this.sent.join('|'); }
})`

func class() js.Value { return js.Global().Call("eval", scripted) }

func mustDial(t *testing.T) (*Conn, js.Value) {
	t.Helper()
	before := js.Global().Get("WebSocket")
	c, err := Dial(context.Background(), "ws://broker/", Options{WebSocket: class()})
	if err != nil {
		t.Fatal(err)
	}
	if !js.Global().Get("WebSocket").Equal(before) {
		t.Error("globalThis.WebSocket was not put back")
	}
	return c, c.socket.v
}

func TestOneFramePerFlush(t *testing.T) {
	c, ws := mustDial(t)
	for _, parts := range [][]string{{"a", "b", "c"}, {}, {""}, {"d"}} {
		c.Lock()
		for _, p := range parts {
			_, _ = io.WriteString(c, p)
		}
		c.Unlock()
	}
	_, _ = io.WriteString(c, "e")
	if got := ws.Call("text").String(); got != "abc|d|e" {
		t.Errorf("frames %q", got)
	}
	_ = c.Close()
	if code := ws.Get("closedWith").Int(); code != 1000 {
		t.Errorf("closed with %d", code)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Write after Close: %v", err)
	}
}

// A message and the close right behind it: the message is not lost, and the
// code arrives.
func TestMessageBeforeCloseIsNeverLost(t *testing.T) {
	for i := range 100 {
		c, ws := mustDial(t)
		ws.Call("deliver", "a", "b", "bye")
		ws.Call("end", 4001, "enough")
		all, err := io.ReadAll(c)
		if string(all) != "abbye" {
			t.Fatalf("round %d: read %q", i, all)
		}
		var closed *CloseError
		if !errors.As(err, &closed) || closed.Code != 4001 || closed.Reason != "enough" {
			t.Fatalf("round %d: error %v", i, err)
		}
		_ = c.Close()
	}
}

func TestWritersWaitWhileTheBrowserIsFull(t *testing.T) {
	c, ws := mustDial(t)
	defer c.Close()
	ws.Set("bufferedAmount", HighWater+1)
	big := strings.Repeat("x", coalesceSize)
	sent := make(chan struct{})
	go func() {
		c.Lock()
		_, _ = io.WriteString(c, big)
		c.Unlock()
		close(sent)
	}()
	for range 3 { // the writer polls; it must not get through
		<-timeout(2 * drainPoll.Milliseconds())
	}
	if ws.Call("text").String() != "" {
		t.Error("sent into a full buffer")
	}
	ws.Set("bufferedAmount", 0)
	<-sent
	if ws.Call("text").String() != big {
		t.Error("not sent after the buffer emptied")
	}
}

// On a slow link small packets share frames.
func TestPacketsShareFramesUnderLoad(t *testing.T) {
	c, ws := mustDial(t)
	defer c.Close()
	ws.Set("bufferedAmount", coalesceAbove+1)
	for range 10 {
		c.Lock()
		_, _ = io.WriteString(c, "p")
		c.Unlock()
	}
	for ws.Call("text").String() == "" {
		<-timeout(1)
	}
	if got := ws.Call("text").String(); got != "pppppppppp" {
		t.Errorf("frames %q", got)
	}
}

func timeout(ms int64) <-chan struct{} {
	done := make(chan struct{})
	var f js.Func
	f = js.FuncOf(func(js.Value, []js.Value) any {
		close(done)
		f.Release()
		return nil
	})
	js.Global().Call("setTimeout", f, ms)
	return done
}

func TestDialFails(t *testing.T) {
	_, err := Dial(context.Background(), "ws://fails/", Options{WebSocket: class()})
	var closed *CloseError
	if !errors.As(err, &closed) || closed.Code != 1006 {
		t.Errorf("error %v", err)
	}
	if _, err = Dial(context.Background(), "ws://throws/", Options{WebSocket: class()}); err == nil || !strings.Contains(err.Error(), "bad URL") {
		t.Errorf("error %v", err)
	}
	if _, err = Dial(context.Background(), "ws://x/", Options{}); err == nil { // Node 20 has none
		t.Error("dialled without a WebSocket")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err = Dial(ctx, "ws://broker/", Options{WebSocket: class()}); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestManyDialsAtOnce(t *testing.T) {
	before := js.Global().Get("WebSocket")
	conns := make(chan *Conn)
	for range 20 {
		go func() {
			c, err := Dial(context.Background(), "ws://broker/", Options{WebSocket: class()})
			if err != nil {
				t.Error(err)
			}
			conns <- c
		}()
	}
	for range 20 {
		_ = (<-conns).Close()
	}
	if !js.Global().Get("WebSocket").Equal(before) {
		t.Error("globalThis.WebSocket was not put back")
	}
}

// The class is the page's: what it makes or throws must not end the program.
func TestClassThatIsNoWebSocket(t *testing.T) {
	for name, test := range map[string]struct{ class, words string }{
		"without methods":      {`Date`, "addEventListener"},
		"without send":         {`EventTarget`, "send"},
		"a method is no one":   {`(class extends EventTarget { get send() { return 1n } })`, "send"},
		"a getter throws":      {`(class { get addEventListener() { throw new Error('no') } })`, "no"},
		"throws undefined":     {`(class { constructor() { throw undefined } })`, "undefined"},
		"throws what throws":   {`(class { constructor() { throw { toString() { throw 1 } } } })`, "can't be read"},
		"is called like a one": {`(() => {})`, "not a constructor"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Dial(context.Background(), "ws://broker/", Options{WebSocket: js.Global().Call("eval", test.class)})
			if err == nil || !strings.Contains(err.Error(), test.words) {
				t.Errorf("error %v", err)
			}
		})
	}
}
