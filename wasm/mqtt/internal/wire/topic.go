package wire

import (
	"strings"
	"unicode/utf8"
)

// CheckTopicName checks a topic to publish to (4.7). As of all checks of this file, the
// error is BadOption and names field.
func CheckTopicName(field, topic string) error {
	switch {
	case topic == "":
		return Invalid(field, "is empty; a topic has at least one character [MQTT-4.7.3-1]")
	case strings.ContainsAny(topic, "+#"):
		return Invalid(field, "%s has a wildcard; only subscriptions may use + and # [MQTT-3.3.2-2]", Quote(topic))
	}
	return CheckText(field, topic)
}

// CheckTopicFilter checks a topic filter to subscribe to (4.7.1), which may be
// that of a shared subscription (4.8.2).
func CheckTopicFilter(field, filter string) error {
	if filter == "" {
		return Invalid(field, "is empty; a topic filter has at least one character [MQTT-4.7.3-1]")
	}
	if err := CheckText(field, filter); err != nil {
		return err
	}
	rest := filter
	if share, ok := strings.CutPrefix(filter, "$share/"); ok {
		name, of, found := strings.Cut(share, "/")
		if name == "" || !found || of == "" || strings.ContainsAny(name, "+#") {
			return Invalid(field, "%s is not of the form $share/name/filter [MQTT-4.8.2-1]", Quote(filter))
		}
		rest = of
	}
	levels := strings.Split(rest, "/")
	for i, level := range levels {
		switch {
		case strings.Contains(level, "#") && (level != "#" || i != len(levels)-1):
			return Invalid(field, "%s: # must be the whole last level, such as a/# [MQTT-4.7.1-1]", Quote(filter))
		case strings.Contains(level, "+") && level != "+":
			return Invalid(field, "%s: + must be a whole level, such as a/+/b [MQTT-4.7.1-2]", Quote(filter))
		}
	}
	return nil
}

// CheckText checks a string that is to be sent. It is stricter than for what is
// received: it refuses control characters and non-characters, for which a receiver may
// close the connection (1.5.4).
func CheckText(field, text string) error {
	switch {
	case len(text) > MaxString:
		return Invalid(field, "has %d bytes; at most 65,535 fit into a packet", len(text))
	case strings.ContainsFunc(text, discouraged) || !utf8.ValidString(text):
		return Invalid(field, "%s has a control character or is not well-formed UTF-8", Quote(text))
	}
	return nil
}

// discouraged lists the characters that 1.5.4 lets a receiver refuse, and U+0000,
// which it must.
func discouraged(c rune) bool {
	return c < 0x20 || c >= 0x7F && c <= 0x9F || c >= 0xFDD0 && c <= 0xFDEF || c&0xFFFE == 0xFFFE
}

// Quote shows a string in an error message: in quotes, shortened, and without
// characters that could spoil the message.
func Quote(s string) string {
	const most = 60 // bytes
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return `"` + strings.Map(func(r rune) rune {
		if discouraged(r) {
			return utf8.RuneError
		}
		return r
	}, s) + `"`
}
