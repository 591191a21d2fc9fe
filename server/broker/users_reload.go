package broker

import (
	"slices"
	"sync"

	"github.com/mochi-mqtt/server/v2/packets"
)

// Authenticate reports whether there is such a user and the password is theirs. It
// takes a processor for as long as the cost of the bcrypt hash asks for, and waits while
// too many others are checked.
func (u *Users) Authenticate(name string, password []byte) bool {
	return u.authenticate(name, password)
}

// Reload reads the file of LoadUsers again. From then on its topics count, for those
// who are connected too. It returns the names of those who are no longer users or have
// another password. On an error nothing has changed.
func (u *Users) Reload() (revoked []string, err error) {
	list, err := readUsers(u.file)
	if err != nil {
		return nil, err
	}
	for name, before := range u.current.Swap(list).byName {
		if list.byName[name].Hash != before.Hash {
			revoked = append(revoked, name)
		}
	}
	return revoked, nil
}

// Revoke disconnects all clients of these users with reason code 0x87 (3.14.2.1). Their
// sessions remain.
func (b *Broker) Revoke(names []string) {
	var told sync.WaitGroup
	for _, cl := range b.server.Clients.GetAll() {
		if !cl.Closed() && slices.Contains(names, string(cl.Properties.Username)) {
			told.Go(func() { _ = b.server.DisconnectClient(cl, packets.ErrNotAuthorized) })
		}
	}
	told.Wait()
}
