package wire

import (
	"bytes"
	"testing"

	"github.com/eclipse/paho.golang/packets"
)

func TestAuthReadsAsItWasMade(t *testing.T) {
	for _, data := range [][]byte{nil, {}, []byte("data"), bytes.Repeat([]byte{0}, MaxString)} {
		header, body := split(t, EncodeAuth(ReasonContinueAuthentication, "m", data))
		if err := CheckHeader(header); err != nil {
			t.Error(err)
		}
		a, err := ParseAuth(body)
		if err != nil || a.Reason != ReasonContinueAuthentication || string(a.Method) != "m" || !bytes.Equal(a.Data, data) || (a.Data == nil) != (data == nil) {
			t.Errorf("%d bytes: %+v, %v", len(data), a, err)
		}
	}
}

func TestAuthNeedsAMethod(t *testing.T) { // 3.15.2.2.2
	for _, body := range [][]byte{{}, {0x00}, {0x18, 0}, {0x18, 4, 0x16, 0, 1, 'd'}} {
		_, err := ParseAuth(body)
		wantViolation(t, err, ReasonProtocolError)
	}
}

func TestAuthRefused(t *testing.T) {
	for name, test := range map[string]struct {
		body   []byte
		reason byte
	}{
		"re-authenticate, which a client sends": {[]byte{0x19, 4, 0x15, 0, 1, 'm'}, ReasonProtocolError},
		"a refusal, which AUTH has not":         {[]byte{0x87, 4, 0x15, 0, 1, 'm'}, ReasonProtocolError},
		"a property of PUBLISH":                 {[]byte{0x18, 6, 0x15, 0, 1, 'm', 0x01, 1}, ReasonProtocolError},
		"the method twice":                      {[]byte{0x18, 8, 0x15, 0, 1, 'm', 0x15, 0, 1, 'm'}, ReasonProtocolError},
		"bytes too many":                        {[]byte{0x18, 4, 0x15, 0, 1, 'm', 0}, ReasonMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParseAuth(test.body)
			wantViolation(t, err, test.reason)
		})
	}
}

// paho reads the same from every AUTH that ParseAuth accepts.
func FuzzAuth(f *testing.F) {
	for _, seed := range [][]byte{
		{}, {0x18}, {0x18, 0}, EncodeAuth(0x18, "m", []byte("data"))[2:],
		{0x00, 11, 0x26, 0, 1, 'k', 0, 1, 'v', 0x15, 0, 1, 'm'},
		{0x18, 12, 0x1F, 0, 1, 'r', 0x16, 0, 1, 'd', 0x15, 0, 1, 'm'},
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a, err := ParseAuth(body)
		if err != nil {
			return
		}
		want := packets.Auth{Properties: &packets.Properties{}}
		if err := want.Unpack(bytes.NewBuffer(body)); err != nil {
			t.Fatalf("% x is let through, and paho says %v", body, err)
		}
		if want.ReasonCode != a.Reason || want.Properties.AuthMethod != string(a.Method) || !bytes.Equal(want.Properties.AuthData, a.Data) {
			t.Fatalf("% x: paho reads %v, we %+v", body, &want, a)
		}
	})
}
