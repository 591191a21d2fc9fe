package broker

import (
	"context"
	"log/slog"
	"slices"
)

// quiet is log for mochi, which attaches whole packets to its records: their
// payloads and passwords have no place in a log. Its chatter about starting and
// stopping is left out as well, and so is what any client could fill a disk with.
func quiet(log *slog.Logger) *slog.Logger { return slog.New(quietHandler{log.Handler()}) }

var chatter = []string{
	"client store quota reached", // for each message that a full session does not take
	"client keepalive is below minimum recommended value and may exhibit connection instability",
}

// quietHandler leaves alone what has attributes of its own from With: our hooks.
type quietHandler struct{ slog.Handler }

func (h quietHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, level)
}

func (h quietHandler) Handle(ctx context.Context, r slog.Record) error {
	if slices.Contains(chatter, r.Message) {
		return nil
	}
	clean := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "pk", "packet":
		default:
			clean.AddAttrs(a)
		}
		return true
	})
	return h.Handler.Handle(ctx, clean)
}
