package knowledge

import (
	"fmt"
)

// Carried is what is known of what apps carry.
type Carried struct {
	SDKs        SDKs
	Frameworks  Frameworks
	Permissions Permissions
}

// Carried reads the files on what apps carry, which are long and which judging traffic
// does not need, when it is first called. Errors are those of [Load].
func (b *Base) Carried() (*Carried, error) { return b.carried() }

func parseCarried(data map[string][]layer) (*Carried, error) {
	var (
		sdks        sdkFile
		frameworks  frameworkFile
		permissions permissionFile
	)
	for _, file := range []struct {
		name string
		into any
	}{{FileSDKs, &sdks}, {FileFrameworks, &frameworks}, {FilePermissions, &permissions}} {
		if err := decode(data[file.name], file.into); err != nil {
			return nil, err
		}
	}
	c := &Carried{SDKs: newSDKs(sdks.SDKs), Frameworks: newFrameworks(frameworks.Frameworks), Permissions: newPermissions(permissions.Permissions)}
	for _, step := range []struct {
		file string
		do   func() error
	}{{FileSDKs, c.SDKs.check}, {FileFrameworks, c.Frameworks.check}, {FilePermissions, c.Permissions.check}} {
		if err := step.do(); err != nil {
			return nil, fmt.Errorf("%s: %w", step.file, err)
		}
	}
	return c, nil
}
