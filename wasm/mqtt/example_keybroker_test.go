//go:build !js

package mqtt_test

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"net"

	"github.com/eclipse/paho.golang/packets"
)

// dialKeyBroker returns an Options.Dial for a broker that supports only the
// authentication method of keyProof.
func dialKeyBroker(key []byte) func(context.Context, string) (net.Conn, error) {
	return func(context.Context, string) (net.Conn, error) {
		client, broker := net.Pipe()
		go serveKeyProof(broker, key)
		return client, nil
	}
}

func serveKeyProof(conn net.Conn, key []byte) {
	defer conn.Close()
	var challenge []byte
	kind := packets.CONNACK // of the packet that ends an exchange: CONNACK first, AUTH later
	for {
		p, err := packets.ReadPacket(conn)
		if err != nil {
			return
		}
		reply, ok := p.Content.(*packets.Auth)
		switch {
		case p.Type == packets.CONNECT, ok && reply.ReasonCode == 0x19: // re-authenticate
			challenge = []byte(rand.Text())
			err = answerKeyProof(conn, packets.AUTH, 0x18, challenge)
		case ok && hmac.Equal(reply.Properties.AuthData, sign(key, challenge)):
			err = answerKeyProof(conn, kind, 0, sign(key, reply.Properties.AuthData))
			kind = packets.AUTH
		case ok:
			err = answerKeyProof(conn, kind, 0x87, nil)
		default:
			return
		}
		if err != nil {
			return
		}
	}
}

func answerKeyProof(conn net.Conn, kind, reason byte, data []byte) error {
	props := &packets.Properties{AuthMethod: "KEY-PROOF", AuthData: data}
	p := packets.NewControlPacket(kind)
	if kind == packets.AUTH {
		p.Flags, p.Content = 0, &packets.Auth{ReasonCode: reason, Properties: props} // paho sets a reserved flag
	} else {
		p.Content = &packets.Connack{ReasonCode: reason, Properties: props}
	}
	_, err := p.WriteTo(conn)
	return err
}
