package broker

import (
	"slices"
	"sync"

	"github.com/mochi-mqtt/server/v2/packets"
)

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
