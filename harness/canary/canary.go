// Package canary derives seeded identities, and decoys that are never seeded.
//
// A canary is a value that is planted on a device so that it can be recognised
// when an app sends it. All canaries of an audit follow from one seed, so that
// an audit can be repeated with the same person.
package canary

// Kind says what a canary stands for.
type Kind string

// The kinds.
const (
	SSAID         Kind = "ssaid"          // the app-scoped Settings.Secure.ANDROID_ID, 16 hexadecimal digits
	AdvertisingID Kind = "advertising_id" // a UUID
	Email         Kind = "email"          // the mail account on the device
	Name          Kind = "name"           // the person's full name
	Phone         Kind = "phone"          // E.164, in a range reserved for fiction
	IMEI          Kind = "imei"           // 15 digits, Luhn-valid
	Serial        Kind = "serial"         // the hardware's
	MAC           Kind = "mac"            // Wi-Fi
	Location      Kind = "location"       // "LATITUDE,LONGITUDE", six decimals
	ContactEmail  Kind = "contact_email"  // of a person in the address book
	ContactPhone  Kind = "contact_phone"
	ContactName   Kind = "contact_name"
	CalendarEvent Kind = "calendar_event" // the title of an event
	Clipboard     Kind = "clipboard"      // a text that the person had copied
	DeviceName    Kind = "device_name"
)

// Canary is one value.
type Canary struct {
	Kind  Kind   `json:"kind"`
	Value string `json:"value"`
}

// Identity is one invented person with one invented device.
type Identity struct {
	Label    string   `json:"label"` // such as "X"
	Canaries []Canary `json:"canaries"`
}

// Value returns the canary of a kind, or "".
func (id Identity) Value(k Kind) string {
	for _, c := range id.Canaries {
		if c.Kind == k {
			return c.Value
		}
	}
	return ""
}
