package wsconn

import (
	"context"
	"errors"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"syscall/js"
	"testing"
	"time"
)

// scripted is a WebSocket class whose network is the test: sent collects what it sends,
// and the methods after the constructor play the server.
const scripted = `(class extends EventTarget {
	constructor(url, protocols) {
		super();
		Object.assign(this, { url, protocol: protocols[0], sent: [], bufferedAmount: 0, readyState: 0 });
		if (url === 'ws://throws/') throw new SyntaxError('bad URL');
		setTimeout(() => url === 'ws://fails/' ? this.fail() : this.open());
	}
	open() { this.readyState = 1; this.dispatchEvent(new Event('open')); }
	deliver(...texts) {
		for (const t of texts) this.dispatchEvent(Object.assign(new Event('message'), { data: new TextEncoder().encode(t).buffer }));
	}
	fail() {
		this.dispatchEvent(new Event('error'));
		this.end(1006, '');
	}
	end(code, reason) {
		this.readyState = 3;
		this.dispatchEvent(Object.assign(new Event('close'), { code, reason, wasClean: code !== 1006 }));
	}
	send(bytes) { this.sent.push(new TextDecoder().decode(bytes)); }
	close(code, reason) { this.closedWith = code; setTimeout(() => this.end(code, reason)); }
	text() { return this.sent.join('|'); }
})`

// readable also keeps what arrives until it is read, like the class in
// web/src/worker/websocket.ts.
const readable = `(class extends ` + scripted + ` {
	kept = [];
	reads = 0;
	deliver(...texts) {
		for (const t of texts) this.kept.push(...new TextEncoder().encode(t));
		this.dispatchEvent(Object.assign(new Event('message'), { data: new ArrayBuffer(0) }));
	}
	readInto(target, limit) {
		this.reads++;
		const bytes = this.kept.splice(0, limit);
		target.set(bytes);
		return bytes.length;
	}
	sendFrom(source, length) { this.send(source.subarray(0, length)); }
})`

func class() js.Value { return js.Global().Call("eval", scripted) }

func mustDial(t *testing.T) (*Conn, js.Value) {
	t.Helper()
	return mustDialWith(t, scripted)
}

func mustDialWith(t *testing.T, class string) (*Conn, js.Value) {
	t.Helper()
	before := js.Global().Get("WebSocket")
	c, err := Dial(context.Background(), "ws://broker/", Options{WebSocket: js.Global().Call("eval", class)})
	if err != nil {
		t.Fatal(err)
	}
	if !js.Global().Get("WebSocket").Equal(before) {
		t.Error("globalThis.WebSocket was not put back")
	}
	return c, c.socket.v
}

func TestOneFramePerWrite(t *testing.T) {
	for name, class := range map[string]string{"as arrays": scripted, "by staging": readable} {
		t.Run(name, func(t *testing.T) { testOneFramePerWrite(t, class) })
	}
}

func testOneFramePerWrite(t *testing.T, class string) {
	c, ws := mustDialWith(t, class)
	for _, size := range []int{stagingSize - 1, stagingSize, stagingSize + 1, maxFrame, maxFrame + 1, 2*maxFrame + 1} {
		frame := strings.Repeat("0123456789abcdef", size/16+1)[:size]
		if n, err := io.WriteString(c, frame); n != len(frame) || err != nil {
			t.Errorf("Write: %d, %v", n, err)
		}
		var want []string
		for piece := range slices.Chunk([]byte(frame), maxFrame) {
			want = append(want, string(piece))
		}
		if ws.Call("text").String() != strings.Join(want, "|") {
			t.Errorf("%d bytes: sent others, or not in frames of %d", size, maxFrame)
		}
		ws.Set("sent", []any{})
	}
	for _, frame := range []string{"abc", "", "d", "e"} {
		if n, err := io.WriteString(c, frame); n != len(frame) || err != nil {
			t.Errorf("Write: %d, %v", n, err)
		}
	}
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

// A message right before the close is not lost, and the close code is reported.
func TestMessageBeforeCloseIsNeverLost(t *testing.T) {
	for name, class := range map[string]string{"as frames": scripted, "kept": readable} {
		t.Run(name, func(t *testing.T) {
			for i := range 100 {
				c, ws := mustDialWith(t, class)
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
		})
	}
}

// Data kept by the socket is read in pieces of any size, and only when the socket
// announces it.
func TestReadsWhatTheSocketKeeps(t *testing.T) {
	text := strings.Repeat("0123456789abcdef", 10_000)
	for _, size := range []int{1000, stagingSize - 1, stagingSize, stagingSize + 1, len(text), 1 << 20} {
		c, ws := mustDialWith(t, readable)
		ws.Call("deliver", text[:3], text[3:99_000])
		ws.Call("deliver", text[99_000:])
		got := make([]byte, 0, 2<<20)
		for len(got) < len(text) {
			n, err := c.Read(got[len(got) : len(got)+size])
			if n == 0 || err != nil {
				t.Fatalf("Read: %d, %v", n, err)
			}
			got = got[:len(got)+n]
		}
		if string(got) != text {
			t.Errorf("%d at a time: the bytes are not those that were sent", size)
		}
		if reads, most := ws.Get("reads").Int(), len(text)/min(size, stagingSize)+2; reads > most {
			t.Errorf("%d at a time: asked %d times, more than %d", size, reads, most)
		}
		ws.Call("deliver", "next")
		if n, err := c.Read(got[:cap(got)]); string(got[:n]) != "next" || err != nil {
			t.Errorf("Read: %q, %v", got[:n], err)
		}
		_ = c.Close()
		ws.Call("deliver", "late")
		if n, err := c.Read(got[:cap(got)]); n > 0 || !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read after Close: %q, %v", got[:n], err)
		}
	}
}

// readInto is the page's, and may return anything.
func TestReadIntoThatIsNone(t *testing.T) {
	for name, body := range map[string]string{
		"nothing": `return undefined`, "text": `return '1'`, "too little": `return -1`, "NaN": `return NaN`, "throws": `throw undefined`,
	} {
		t.Run(name, func(t *testing.T) {
			c, ws := mustDialWith(t, `(class extends `+scripted+` { readInto() { `+body+` } sendFrom() {} })`)
			ws.Call("deliver", "", "a")
			p := make([]byte, 8)
			if n, err := c.Read(p); string(p[:n]) != "a" || err != nil {
				t.Errorf("Read: %q, %v", p[:n], err)
			}
			_ = c.Close()
		})
	}
	c, ws := mustDialWith(t, `(class extends `+scripted+` { readInto() { return 1e9 } sendFrom() {} })`)
	defer c.Close()
	ws.Call("deliver", "")
	if n, err := c.Read(make([]byte, 8)); n != 8 || err != nil {
		t.Errorf("Read: %d, %v", n, err)
	}
}

// What the browser has buffered has not been sent yet, and neither has what it does not
// accept.
func TestSent(t *testing.T) {
	c, ws := mustDialWith(t, readable)
	defer func() { _ = c.Close() }()
	write := func(size int) {
		if _, err := c.Write(make([]byte, size)); err != nil {
			t.Error(err)
		}
	}
	want := func(wantLeft, wantWaiting int) bool {
		left, waiting := c.Sent()
		return left == wantLeft && waiting == wantWaiting
	}
	const size = 3 * maxFrame
	write(size)
	ws.Set("bufferedAmount", 5)
	if !want(size-5, 5) {
		t.Error("not what the browser says")
	}
	ws.Set("bufferedAmount", HighWater+1)
	wrote := make(chan struct{})
	go func() { write(size); close(wrote) }()
	for !want(size-HighWater-1, size+HighWater+1) {
		runtime.Gosched()
	}
	ws.Set("bufferedAmount", 0)
	<-wrote
	if !want(2*size, 0) {
		t.Error("something waits that has left")
	}
}

// A frame that cannot be sent only fails the Write: data that has arrived may explain
// why.
func TestFailedSendLeavesTheConnectionOpen(t *testing.T) {
	for name, test := range map[string]struct {
		send  string
		state int
		words string
	}{
		"throws":  {"throw new Error('no room')", 1, "no room"},
		"closing": {"", 2, net.ErrClosed.Error()},
		"closed":  {"", 3, net.ErrClosed.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			c, ws := mustDialWith(t, `(class extends `+scripted+` { send() { `+test.send+` } })`)
			ws.Set("readyState", test.state)
			if n, err := io.WriteString(c, "x"); n != 0 || err == nil || !strings.Contains(err.Error(), test.words) {
				t.Errorf("Write: %d, %v", n, err)
			}
			if !ws.Get("closedWith").IsUndefined() {
				t.Error("it was closed")
			}
			ws.Call("deliver", "reason")
			p := make([]byte, 8)
			if n, err := c.Read(p); string(p[:n]) != "reason" || err != nil {
				t.Errorf("Read: %q, %v", p[:n], err)
			}
			_ = c.Close()
		})
	}
}

func TestWritersWaitWhileTheBrowserIsFull(t *testing.T) {
	c, ws := mustDial(t)
	defer c.Close()
	ws.Set("bufferedAmount", HighWater+1)
	sent := make(chan struct{})
	go func() {
		_, _ = io.WriteString(c, "big")
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
	if ws.Call("text").String() != "big" {
		t.Error("not sent after the buffer emptied")
	}
}

// On a busy link Write waits after a small frame, so that the next one can grow. After
// a large frame, or on an idle link, it does not.
func TestSmallFramesWaitOnABusyLink(t *testing.T) {
	for _, test := range []struct{ unsent, size int }{
		{0, 1}, {busyAbove, 1}, {busyAbove + 1, 1}, {busyAbove + 1, smallFrame - 1}, {busyAbove + 1, smallFrame},
	} {
		c, ws := mustDial(t)
		ws.Set("bufferedAmount", test.unsent)
		begin, waited := time.Now(), false
		go func() { waited = true }() // runs when Write waits
		if _, err := c.Write(make([]byte, test.size)); err != nil {
			t.Error(err)
		}
		if want := test.unsent > busyAbove && test.size < smallFrame; waited != want || waited && time.Since(begin) < gatherTime {
			t.Errorf("%d bytes, %d before them: waited %v, %v", test.size, test.unsent, waited, time.Since(begin))
		}
		_ = c.Close()
	}
}

func TestCloseFreesAWriterThatWaits(t *testing.T) {
	for _, unsent := range []int{busyAbove + 1, HighWater + 1} {
		c, ws := mustDial(t)
		ws.Set("bufferedAmount", unsent)
		failed := make(chan error)
		go func() {
			_, err := io.WriteString(c, "x")
			failed <- err
		}()
		runtime.Gosched()
		_ = c.Close()
		if err := <-failed; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Write: %v", err)
		}
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
	if _, err = Dial(context.Background(), "ws://x/", Options{}); err == nil { // Node 20 has no WebSocket
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

// The page supplies the class: whatever it makes or throws must not end the program.
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
