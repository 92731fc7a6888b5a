package android

import "fmt"

// refusal is an error whose text is Android's own, to be shown as it is.
type refusal string

func (r refusal) Error() string { return string(r) }

func refusef(format string, args ...any) error { return refusal(fmt.Sprintf(format, args...)) }

// securityException is what Android throws at an app that lacks a permission.
func securityException(format string, args ...any) error {
	return refusal("java.lang.SecurityException: " + fmt.Sprintf(format, args...))
}

// illegalArgument is what Android throws at an argument that makes no sense.
func illegalArgument(format string, args ...any) error {
	return refusal("java.lang.IllegalArgumentException: " + fmt.Sprintf(format, args...))
}
