package main

import (
	"errors"
	"syscall/js"

	"mqttwasm/wasm/mqtt"
)

// errorValue makes a JavaScript Error with the fields of WireError.
func errorValue(err error) js.Value {
	v := js.Global().Get("Error").New(err.Error())
	v.Set("name", "MqttError")
	fillError(v, err)
	return v
}

// wireError makes a plain object, for events.
func wireError(err error) js.Value {
	v := objectClass.New()
	v.Set("message", err.Error())
	fillError(v, err)
	return v
}

func fillError(v js.Value, err error) {
	e, typed := errors.AsType[*mqtt.Error](err)
	if !typed {
		v.Set("code", string(mqtt.Network))
		return
	}
	v.Set("code", string(e.Code))
	setText(v, "field", e.Field)
	if e.ReasonCode != 0 {
		v.Set("reasonCode", int(e.ReasonCode))
	}
	setText(v, "reasonString", e.ReasonString)
	setText(v, "serverReference", e.ServerReference)
	if e.CloseCode != 0 {
		v.Set("closeCode", e.CloseCode)
	}
	setText(v, "closeReason", e.CloseReason)
}

func setText(v js.Value, name, text string) {
	if text != "" {
		v.Set(name, received(text))
	}
}
