package device

import (
	"context"
	"errors"
	"fmt"
)

// ErrClaimed says that another audit is running on the device, or was killed on it.
var ErrClaimed = errors.New("another audit has claimed the device")

// claimKey is the setting that says who audits. It needs no root, and is seen by
// whoever comes next, from whatever machine.
const claimKey = "unasked_audit"

// Claim marks the device as being audited by who, so that a second audit refuses
// it: two at once would each change what the other sees. The error wraps
// [ErrClaimed] where somebody has it already.
func (d *Device) Claim(ctx context.Context, who string) (release func(context.Context) error, err error) {
	holder, err := d.setting(ctx, "global", claimKey)
	if err != nil {
		return nil, err
	}
	if holder != "null" && holder != "" {
		return nil, fmt.Errorf("%w: %s holds %s; wait for it, or if it was killed, free the device with: adb -s %s shell settings delete global %s",
			ErrClaimed, holder, d, d, claimKey)
	}
	if err := d.putSetting(ctx, "global", claimKey, who); err != nil {
		return nil, fmt.Errorf("claim %s: %w", d, err)
	}
	return func(ctx context.Context) error {
		_, err := d.run(ctx, "settings", "delete", "global", claimKey)
		return err
	}, nil
}
