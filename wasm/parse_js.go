package main

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"syscall/js"

	"mqttwasm/wasm/mqtt"
)

// Converting a value of the wrong type panics and would end the program, and so does a
// getter or a proxy that throws, unless it is read within a call. So every value from
// JavaScript goes through a parser: it copies an object's fields in one call, and
// checks a value's type first.

var (
	promiseClass = js.Global().Get("Promise")
	objectClass  = js.Global().Get("Object")
	bytesClass   = js.Global().Get("Uint8Array")
	arrayClass   = js.Global().Get("Array")

	assign     = objectClass.Get("assign")
	reflectGet = js.Global().Get("Reflect").Get("get")
	typedArray = objectClass.Call("getPrototypeOf", bytesClass.Get("prototype")) // TypedArray.prototype, which has no global name
	stringTag  = js.Global().Get("Symbol").Get("toStringTag")
)

const maxMilliseconds = math.MaxInt32 // what setTimeout takes

// parser reads the own enumerable fields of one object. The first error is kept in err,
// and names the field. Fields that are undefined or null count as absent.
type parser struct {
	value  js.Value // a copy, or undefined
	parent *parser  // nil, or of the object that this one is a field of; it has the err
	name   string   // of that field
	err    error
}

// parse begins to read an options argument.
func parse(v js.Value) *parser {
	p := &parser{}
	p.value = p.copy("options", p.accept("options", v))
	return p
}

func argument(args []js.Value, i int) js.Value {
	if i < len(args) {
		return args[i]
	}
	return js.Undefined()
}

func (p *parser) bad(name, format string, args ...any) {
	if p.parent != nil {
		p.parent.bad(p.name+"."+name, format, args...)
	} else if p.err == nil {
		p.err = &mqtt.Error{Code: mqtt.BadOption, Field: name, Message: name + ": " + fmt.Sprintf(format, args...)}
	}
}

// accept returns v unless it is a bigint, which has no js.Type: asking for it panics.
func (p *parser) accept(name string, v js.Value) (accepted js.Value) {
	defer func() {
		if recover() != nil {
			p.bad(name, "must not be a bigint")
			accepted = js.Undefined()
		}
	}()
	v.Type()
	return v
}

// copy returns an object with the fields of v, undefined when v has none.
func (p *parser) copy(name string, v js.Value) js.Value {
	if t := v.Type(); t != js.TypeObject && t != js.TypeFunction {
		return js.Undefined()
	}
	copied, ok := guarded(func() js.Value { return assign.Invoke(objectClass.New(), v) })
	if !ok {
		p.bad(name, "has a field that throws when it is read")
	}
	return copied
}

// guarded is catch that ignores what was thrown: reading it may throw as well.
func guarded(f func() js.Value) (v js.Value, ok bool) {
	v, thrown := catch(f)
	return v, thrown == nil
}

// property reads a field of an object that is not a copy.
func property(v js.Value, name any) (field js.Value, ok bool) {
	return guarded(func() js.Value { return reflectGet.Invoke(v, name) })
}

// get returns a field, undefined when it is absent.
func (p *parser) get(name string) js.Value {
	if p.value.IsUndefined() {
		return p.value
	}
	v := p.accept(name, p.value.Get(name))
	if v.IsNull() {
		return js.Undefined()
	}
	return v
}

func (p *parser) text(name string) string { return p.asText(name, p.get(name)) }

func (p *parser) asText(name string, v js.Value) string {
	if v = p.typed(name, v, js.TypeString, "a string"); v.IsUndefined() {
		return ""
	}
	return v.String()
}

func (p *parser) boolean(name string, def bool) bool {
	if v := p.typed(name, p.get(name), js.TypeBoolean, "true or false"); !v.IsUndefined() {
		return v.Bool()
	}
	return def
}

// typed returns v if it is of that type, or undefined.
func (p *parser) typed(name string, v js.Value, want js.Type, what string) js.Value {
	if v.IsUndefined() || v.Type() == want {
		return v
	}
	p.bad(name, "must be %s, not a %s", what, v.Type())
	return js.Undefined()
}

func (p *parser) integer(name string, least, most, def int) int {
	v := p.get(name)
	if v.IsUndefined() {
		return def
	}
	if v.Type() == js.TypeNumber {
		if f := v.Float(); f == math.Trunc(f) && f >= float64(least) && f <= float64(most) {
			return int(f)
		}
	}
	p.bad(name, "must be a whole number from %d to %d", least, most)
	return def
}

// choice returns the index of the word that the field is; 0 when absent.
func (p *parser) choice(name string, words ...string) int {
	v := p.get(name)
	if v.IsUndefined() {
		return 0
	}
	if v.Type() == js.TypeString {
		if i := slices.Index(words, v.String()); i >= 0 {
			return i
		}
	}
	p.bad(name, "must be one of %s", strings.Join(words, ", "))
	return 0
}

// object returns a field that is an object, or undefined.
func (p *parser) object(name string) js.Value {
	return p.typed(name, p.get(name), js.TypeObject, "an object")
}

// function returns a field that is a function, or undefined.
func (p *parser) function(name string) js.Value {
	return p.typed(name, p.get(name), js.TypeFunction, "a function")
}

// bytes copies a Uint8Array, or the UTF-8 of a string; nil when absent.
func (p *parser) bytes(name string) []byte { return p.asBytes(name, p.get(name)) }

func (p *parser) asBytes(name string, v js.Value) []byte {
	switch v.Type() {
	case js.TypeUndefined:
		return nil
	case js.TypeString:
		return []byte(v.String())
	case js.TypeObject:
		if view, ok := bytesView(v); ok {
			b := make([]byte, view.Get("length").Int())
			js.CopyBytesToGo(b, view)
			return b
		}
	}
	p.bad(name, "must be a Uint8Array or a string")
	return nil
}

// bytesView returns a Uint8Array of v's real memory: v may be a proxy, or have a
// redefined length.
func bytesView(v js.Value) (js.Value, bool) {
	kind, ok := guarded(func() js.Value { return reflectGet.Invoke(typedArray, stringTag, v) })
	if !ok || kind.Type() != js.TypeString || kind.String() != "Uint8Array" {
		return js.Undefined(), false
	}
	return guarded(func() js.Value {
		get := func(name string) js.Value { return reflectGet.Invoke(typedArray, name, v) }
		return bytesClass.New(get("buffer"), get("byteOffset"), get("length"))
	})
}

// list returns the elements of a field that is an array.
func (p *parser) list(name string) []js.Value {
	v := p.get(name)
	if v.IsUndefined() {
		return nil
	}
	items, ok := listOf(v)
	if !ok {
		p.bad(name, "must be an array of at most %d elements", maxList)
	}
	return items
}

// maxList is how many elements are read of an array: a sparse one can claim to have
// four billion. A packet holds no more filters.
const maxList = math.MaxUint16

func listOf(v js.Value) (items []js.Value, ok bool) {
	isArray, ok := guarded(func() js.Value { return arrayClass.Call("isArray", v) })
	if !ok || !isArray.Bool() {
		return nil, false
	}
	length, ok := property(v, "length")
	if !ok || length.Type() != js.TypeNumber || !(length.Float() <= maxList) {
		return nil, false
	}
	var p parser
	for i := range length.Int() {
		item, ok := property(v, i)
		if item = p.accept("", item); !ok || p.err != nil {
			return nil, false
		}
		items = append(items, item)
	}
	return items, true
}

// userProperties reads pairs [name, value]; order and duplicates are kept.
func (p *parser) userProperties() (user mqtt.UserProperties) {
	const name = "userProperties"
	for _, item := range p.list(name) {
		pair, ok := listOf(item)
		if !ok || len(pair) != 2 || pair[0].Type() != js.TypeString || pair[1].Type() != js.TypeString {
			p.bad(name, "must be an array of [name, value] pairs of strings")
			return nil
		}
		user = append(user, mqtt.UserProperty{Key: pair[0].String(), Value: pair[1].String()})
	}
	return user
}

// sub starts a parser for a nested object, whose errors are those of p.
func (p *parser) sub(name string) *parser {
	return &parser{value: p.copy(name, p.object(name)), parent: p, name: name}
}
