package wsconn

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall/js"
	"time"

	"nhooyr.io/websocket"
)

// Options of [Dial].
type Options struct {
	// WebSocket is the JavaScript class to dial with; globalThis.WebSocket when
	// it is not a function.
	WebSocket js.Value
}

// rereads is how often a read that finds the socket closed is repeated: each try has a
// one in two chance of finding a message that is still waiting.
const rereads = 40

// drainPoll is how often a blocked writer checks again: browsers have no event for an
// emptied send buffer.
const drainPoll = 5 * time.Millisecond

// Above busyAbove unsent bytes the network is the bottleneck. A frame of less than
// smallFrame bytes then waits a moment, so that the next one is larger.
const (
	busyAbove  = 64 << 10
	smallFrame = 8 << 10
	gatherTime = 2 * time.Millisecond
)

// stagingSize is how many bytes cross at a time when JavaScript copies them.
const stagingSize = 64 << 10 // bytes

var bytesClass = js.Global().Get("Uint8Array")

// socket is the browser's object behind a websocket.Conn, with the close event that the
// library ignores.
//
// An object with the methods readInto and sendFrom (GoSocket in
// web/src/worker/websocket.ts) keeps what arrives, signals that with an empty frame, and
// copies frames out of and into a permanent array: new memory costs a browser more than a
// copy, and is held until Go next collects garbage.
type socket struct {
	v       js.Value
	staging js.Value // Uint8Array for readInto and sendFrom; undefined without them
	keeps   bool     // it has the methods keep, fetch and drop

	mu      sync.Mutex
	close   *CloseError
	onClose js.Func
}

var swap sync.Mutex

// dial makes the JavaScript socket itself and lends it to the library, which constructs
// one from globalThis.WebSocket: so the class can be chosen, and the object is known. The
// library does so before it first blocks: no JavaScript runs while the global is replaced.
func dial(ctx context.Context, url string, opts Options) (*websocket.Conn, *socket, error) {
	global := js.Global()
	class := opts.WebSocket
	if class.Type() != js.TypeFunction {
		class = global.Get("WebSocket")
	}
	if class.Type() != js.TypeFunction {
		return nil, nil, errors.New("this environment has no WebSocket: pass the option WebSocket")
	}
	s, err := newSocket(class, url)
	if err != nil {
		return nil, nil, err
	}

	swap.Lock()
	before := global.Get("WebSocket")
	undo := sync.OnceFunc(func() {
		global.Set("WebSocket", before)
		swap.Unlock()
	})
	lend := js.FuncOf(func(js.Value, []js.Value) any {
		undo()
		return s.v
	})
	defer lend.Release()
	defer undo()
	global.Set("WebSocket", lend)

	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{Subprotocol}})
	if err != nil {
		s.release()
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		return nil, nil, s.closeError(err)
	}
	return ws, s, nil
}

func newSocket(class js.Value, url string) (s *socket, err error) {
	defer caught(&err)
	v := class.New(url, []any{Subprotocol})
	// The class may be any, and a missing method would end the program.
	function, get := js.Global().Get("Function"), js.Global().Get("Reflect").Get("get")
	for _, name := range []string{"addEventListener", "removeEventListener", "send", "close"} {
		if !get.Invoke(v, name).InstanceOf(function) {
			return s, fmt.Errorf("WebSocket: objects of the given class have no method %s", name)
		}
	}
	s = &socket{v: v}
	if get.Invoke(v, "readInto").InstanceOf(function) && get.Invoke(v, "sendFrom").InstanceOf(function) {
		s.staging = bytesClass.New(stagingSize)
		s.keeps = get.Invoke(v, "keep").InstanceOf(function)
	}
	s.onClose = js.FuncOf(func(_ js.Value, args []js.Value) any {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(args) == 1 && s.close == nil {
			s.close = &CloseError{Code: 1006}
			if code := args[0].Get("code"); code.Type() == js.TypeNumber {
				s.close.Code = code.Int()
			}
			if reason := args[0].Get("reason"); reason.Type() == js.TypeString {
				s.close.Reason = reason.String()
			}
		}
		return nil
	})
	s.v.Call("addEventListener", "close", s.onClose)
	s.hideErrors()
	return s, nil
}

// hideErrors has the library's listener for error events, which close follows, do nothing:
// it would close the socket and wait for the end of that within the event. With a class
// that takes its close code, such as that of Node's ws, neither would ever return, and
// without any listener that class ends the process. Nobody else's calls are changed: the
// library adds its listeners before it first blocks.
func (s *socket) hideErrors() {
	const method = "addEventListener"
	add := s.v.Get(method)
	var changed js.Func
	changed = js.FuncOf(func(v js.Value, args []js.Value) any {
		if args[0].String() != "error" {
			return add.Call("call", v, args[0], args[1])
		}
		v.Set(method, add)
		changed.Release()
		return v.Call(method, args[0], js.Global().Get("Object"))
	})
	s.v.Set(method, changed)
}

// caught sets err to what the class threw.
func caught(err *error) {
	if r := recover(); r != nil {
		thrown, ok := r.(js.Error)
		if !ok {
			panic(r)
		}
		*err = errors.New("WebSocket: " + words(thrown.Value))
	}
}

// words returns what was thrown as text, whatever it is.
func words(thrown js.Value) (text string) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(js.Error); !ok {
				panic(r)
			}
			text = "it threw something that can't be read"
		}
	}()
	return js.Global().Get("String").Invoke(thrown).String()
}

func (s *socket) unsent() int {
	if n := s.v.Get("bufferedAmount"); n.Type() == js.TypeNumber {
		return n.Int()
	}
	return 0
}

// drain waits until the browser can be given a frame of size bytes.
func (s *socket) drain(size int, closed <-chan struct{}) error {
	unsent := s.unsent()
	if unsent > busyAbove && unsent <= HighWater && size < smallFrame {
		if err := pause(gatherTime, closed); err != nil {
			return err
		}
		unsent = s.unsent()
	}
	for ; unsent > HighWater; unsent = s.unsent() {
		if err := pause(drainPoll, closed); err != nil {
			return err
		}
	}
	return nil
}

func pause(d time.Duration, closed <-chan struct{}) error {
	select {
	case <-closed:
		return net.ErrClosed
	case <-time.After(d):
		return nil
	}
}

// send sends a frame. The library would close the connection when that fails.
func (s *socket) send(_ *websocket.Conn, p []byte) (err error) {
	// A closing WebSocket discards what it is given.
	if state := s.v.Get("readyState"); state.Type() == js.TypeNumber && state.Int() > 1 {
		return s.closeError(net.ErrClosed)
	}
	defer caught(&err)
	if staging := s.staging; !staging.IsUndefined() && len(p) <= stagingSize {
		js.CopyBytesToJS(staging, p)
		s.v.Call("sendFrom", staging, len(p))
		return nil
	}
	frame := bytesClass.New(len(p))
	js.CopyBytesToJS(frame, p)
	s.v.Call("send", frame)
	return nil
}

// take reads what a socket with readInto keeps, and reports whether there may be more.
func (s *socket) take(p []byte) (n int, more bool) {
	if s.staging.IsUndefined() {
		return 0, false
	}
	var err error
	defer caught(&err) // nothing was read then
	limit := min(len(p), stagingSize)
	v := s.v.Call("readInto", s.staging, limit)
	if v.Type() != js.TypeNumber {
		return 0, false
	}
	n = min(max(v.Int(), 0), limit)
	js.CopyBytesToGo(p[:n], s.staging)
	return n, n == limit
}

// keep leaves bytes where they arrived.
func (s *socket) keep(rest, payload int) (handle int) {
	if s.keeps {
		return s.v.Call("keep", rest, payload).Int()
	}
	return 0
}

func (s *socket) fetch(handle int, dst []byte) {
	js.CopyBytesToGo(dst, s.v.Call("fetch", handle))
}

func (s *socket) drop(handle int) { s.v.Call("drop", handle) }

func (s *socket) closeError(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.close != nil {
		return s.close
	}
	return err
}

func (s *socket) release() {
	s.v.Call("removeEventListener", "close", s.onClose)
	s.onClose.Release()
}
