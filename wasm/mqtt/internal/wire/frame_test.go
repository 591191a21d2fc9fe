package wire

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestVarint(t *testing.T) {
	for _, test := range []struct {
		in    []byte
		value int
		ok    bool
		bad   bool
	}{
		{nil, 0, false, false},
		{[]byte{0}, 0, true, false},
		{[]byte{0x7F}, 127, true, false},
		{[]byte{0x80}, 0, false, false},
		{[]byte{0x80, 1}, 128, true, false},
		{[]byte{0xFF, 0x7F}, 16_383, true, false},
		{[]byte{0x80, 0x80, 1}, 16_384, true, false},
		{[]byte{0xFF, 0xFF, 0x7F}, 2_097_151, true, false},
		{[]byte{0x80, 0x80, 0x80, 1}, 2_097_152, true, false},
		{[]byte{0xFF, 0xFF, 0xFF, 0x7F}, MaxRemaining, true, false},
		{[]byte{0xFF, 0xFF, 0xFF}, 0, false, false},
		{[]byte{0x80, 0}, 0, false, true}, // [MQTT-1.5.5-1]
		{[]byte{0x80, 0x80, 0x80, 0}, 0, false, true},
		{[]byte{0xFF, 0xFF, 0xFF, 0xFF}, 0, false, true},
		{[]byte{0xFF, 0xFF, 0xFF, 0xFF, 0x7F}, 0, false, true},
	} {
		value, size, ok, err := Varint(test.in)
		if ok != test.ok || (err != nil) != test.bad || ok && (value != test.value || size != len(test.in)) {
			t.Errorf("% x: %d, %d, %v, %v", test.in, value, size, ok, err)
		}
		if err != nil {
			wantViolation(t, err, ReasonMalformed)
		}
		if ok && (VarintSize(value) != size || !bytes.Equal(AppendVarint(nil, value), test.in)) {
			t.Errorf("% x is not what %d is encoded as", test.in, value)
		}
	}
}

func TestHeaderOfABroker(t *testing.T) { // 2.1.2, [MQTT-2.1.3-1]
	fromBroker := []byte{TypeConnack, TypePuback, TypePubrec, TypePubrel, TypePubcomp, TypeSuback, TypeUnsuback,
		TypePingresp, TypeDisconnect, TypeAuth}
	for header := range 256 {
		kind, flags := byte(header>>4), byte(header&0x0F)
		err := CheckHeader(byte(header))
		switch {
		case kind == TypePublish, slices.Contains(fromBroker, kind) && (flags == 0 && kind != TypePubrel || flags == 2 && kind == TypePubrel):
			if err != nil {
				t.Errorf("0x%02X: %v", header, err)
			}
		case slices.Contains(fromBroker, kind):
			wantViolation(t, err, ReasonMalformed)
		default:
			wantViolation(t, err, ReasonProtocolError)
		}
	}
}

func TestPingrespHasNoBody(t *testing.T) { // 3.13
	if err := CheckPingresp(nil); err != nil {
		t.Error(err)
	}
	wantViolation(t, CheckPingresp([]byte{0}), ReasonMalformed)
}

func TestAppendString(t *testing.T) {
	want := []byte{0, 3, 'a', 0xC3, 0xBC}
	if got := AppendString(nil, "aü"); !bytes.Equal(got, want) {
		t.Errorf("% x", got)
	}
	if got := AppendString([]byte{9}, []byte("aü")); !bytes.Equal(got[1:], want) || got[0] != 9 {
		t.Errorf("% x", got)
	}
}

// After the first error a Reader returns nothing more, and keeps that error.
func TestReaderStopsAtTheFirstError(t *testing.T) {
	r := Reader{Rest: []byte{0, 5, 'a'}}
	if b := r.String(); len(b) != 0 || r.Err == nil || len(r.Rest) != 0 {
		t.Fatalf("%q, %+v", b, r)
	}
	first := r.Err
	wantViolation(t, r.Err, ReasonMalformed)
	if r.Byte() != 0 || r.Uint16() != 0 || r.Uint32() != 0 || r.Varint() != 0 || r.Take(0) != nil || len(r.Binary()) != 0 || len(r.String()) != 0 {
		t.Error("it goes on after an error")
	}
	r.Skip(int(packets.PropUser))
	r.Skip(0x7F)
	if r.Err != first || !errors.Is(r.Err, first) { //nolint:errorlint // the very same error
		t.Errorf("the error became %v", r.Err)
	}
	if (&Reader{}).Err != nil {
		t.Error("an error where there is none")
	}
}

func TestReaderReads(t *testing.T) {
	r := Reader{Rest: []byte{1, 0, 2, 0, 0, 1, 0, 0x80, 1, 0, 1, 'b', 0, 2, 0xC3, 0xBC, 7, 8}}
	if a, b, c, d := r.Byte(), r.Uint16(), r.Uint32(), r.Varint(); a != 1 || b != 2 || c != 256 || d != 128 {
		t.Errorf("%d, %d, %d, %d", a, b, c, d)
	}
	if a, b, c := r.Binary(), r.String(), r.Take(1); string(a) != "b" || string(b) != "ü" || c[0] != 7 {
		t.Errorf("%q, %q, % x", a, b, c)
	}
	if r.Err != nil || !bytes.Equal(r.Rest, []byte{8}) {
		t.Errorf("%+v", r)
	}
}
