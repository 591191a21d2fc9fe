package mqtt

import "strings"

const maxString = 65535 // bytes in a UTF-8 string (MQTT 5, 1.5.4)

// checkTopicName checks a topic to publish to (4.7).
func checkTopicName(field, topic string) error {
	switch {
	case topic == "":
		return badOption(field, "is empty; a topic has at least one character [MQTT-4.7.3-1]")
	case strings.ContainsAny(topic, "+#"):
		return badOption(field, "%s has a wildcard; only subscriptions may use + and # [MQTT-3.3.2-2]", quote(topic))
	}
	return checkText(field, topic)
}

// checkTopicFilter checks a filter to subscribe to (4.7.1, 4.8.2).
func checkTopicFilter(field, filter string) error {
	if filter == "" {
		return badOption(field, "is empty; a topic filter has at least one character [MQTT-4.7.3-1]")
	}
	if err := checkText(field, filter); err != nil {
		return err
	}
	rest := filter
	if share, ok := strings.CutPrefix(filter, "$share/"); ok {
		name, of, found := strings.Cut(share, "/")
		if name == "" || !found || of == "" || strings.ContainsAny(name, "+#") {
			return badOption(field, "%s is not of the form $share/name/filter [MQTT-4.8.2-1]", quote(filter))
		}
		rest = of
	}
	levels := strings.Split(rest, "/")
	for i, level := range levels {
		switch {
		case strings.Contains(level, "#") && (level != "#" || i != len(levels)-1):
			return badOption(field, "%s: # must be the whole last level, such as a/# [MQTT-4.7.1-1]", quote(filter))
		case strings.Contains(level, "+") && level != "+":
			return badOption(field, "%s: + must be a whole level, such as a/+/b [MQTT-4.7.1-2]", quote(filter))
		}
	}
	return nil
}

// checkText checks a string that goes into a packet.
func checkText(field, text string) error {
	switch {
	case len(text) > maxString:
		return badOption(field, "has %d bytes; at most 65,535 fit into a packet", len(text))
	case !validText([]byte(text)):
		return badOption(field, "%s has a control character or is not well-formed UTF-8", quote(text))
	}
	return nil
}

// quote shows a string in an error, shortened.
func quote(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return `"` + strings.Map(func(r rune) rune {
		if disallowed(r) {
			return '\uFFFD'
		}
		return r
	}, s) + `"`
}
