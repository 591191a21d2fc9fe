package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func TestErrorText(t *testing.T) {
	for want, e := range map[string]*Error{
		"plain":         {Message: "plain"},
		"refused: why":  {Message: "refused", ReasonString: "why"},
		"said why once": {Message: "said why once", ReasonString: "why"},
		"topic: is bad": Invalid("topic", "is %s", "bad"),
		"subscribe refused: not authorized (0x87): go away": RefusedError("subscribe", 0x87, "go away"),
		"filter: no wildcards":                              UnsupportedError("filter", "no wildcards"),
	} {
		if got := e.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// ReasonCode is the broker's; Reason is what we send to it.
func TestReasonsHaveTheirOwners(t *testing.T) {
	if e := Violation(0x81, "bad"); e.Code != Protocol || e.Reason != 0x81 || e.ReasonCode != 0 {
		t.Errorf("%+v", e)
	}
	if e := Violation(0x95, "large"); e.Code != PacketTooLarge || e.Reason != 0x95 || e.ReasonCode != 0 {
		t.Errorf("%+v", e)
	}
	if e := RefusedError("publish", 0x97, ""); e.Code != Refused || e.Reason != 0 || e.ReasonCode != 0x97 {
		t.Errorf("%+v", e)
	}
	if e := UnsupportedError("qos", "no"); e.Code != Unsupported || e.Field != "qos" || e.Reason != 0 || e.ReasonCode != 0 {
		t.Errorf("%+v", e)
	}
	if e := NewError(QueueFull, "%d", 7); e.Code != QueueFull || e.Message != "7" || e.Reason != 0 {
		t.Errorf("%+v", e)
	}
}

func TestContextError(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if e := ContextError(ctx, "publish"); e.Code != Aborted || !errors.Is(e, context.Canceled) {
		t.Errorf("%+v", e)
	}

	// A typed cause is kept, even if it wraps a deadline.
	typed := &Error{Code: Storage, Message: "typed", Err: context.DeadlineExceeded}
	ctx, stop := context.WithCancelCause(context.Background())
	stop(fmt.Errorf("wrapped: %w", typed))
	if e := ContextError(ctx, "publish"); e != typed {
		t.Errorf("%+v", e)
	}

	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		<-ctx.Done()
		if e := ContextError(ctx, "publish"); e.Code != Timeout || !errors.Is(e, context.DeadlineExceeded) {
			t.Errorf("%+v", e)
		}
	})
}

type closeError struct{}

func (closeError) Error() string              { return "closed" }
func (closeError) CloseStatus() (int, string) { return 1008, "policy" }

func TestNetworkError(t *testing.T) {
	typed := NewError(Timeout, "typed")
	if e := NetworkError(fmt.Errorf("dial: %w", typed), "connect"); e != typed {
		t.Errorf("%+v", e)
	}
	for _, err := range []error{io.EOF, net.ErrClosed} {
		if e := NetworkError(err, "connect"); e.Code != Network || e.Message != "connect: the connection was closed" || !errors.Is(e, err) {
			t.Errorf("%+v", e)
		}
	}
	err := errors.New("no route")
	if e := NetworkError(err, "connect"); e.Message != "connect: no route" || !errors.Is(e, err) {
		t.Errorf("%+v", e)
	}
	if e := NetworkError(fmt.Errorf("read: %w", closeError{}), "receive"); e.CloseCode != 1008 || e.CloseReason != "policy" {
		t.Errorf("%+v", e)
	}
}
