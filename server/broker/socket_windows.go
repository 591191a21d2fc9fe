package broker

import (
	"syscall"
	"unsafe"
)

func peek(fd uintptr) bool {
	const fionread = 0x4004667f
	var size, length uint32
	err := syscall.WSAIoctl(syscall.Handle(fd), fionread, nil, 0, (*byte)(unsafe.Pointer(&size)), 4, &length, nil, 0)
	return err == nil && size > 0
}
