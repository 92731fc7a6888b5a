package android

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ssaidPath is where the app-scoped android_id values are. Android keeps the
// file as binary XML from release 12 on; here it is plain text, and it is read
// anew at each question, so that an edit counts at once.
const ssaidPath = "/data/system/users/0/settings_ssaid.xml"

// ssaidFile is the settings file of the app-scoped identifiers.
type ssaidFile struct {
	XMLName xml.Name       `xml:"settings"`
	Version int            `xml:"version,attr"`
	Rows    []ssaidSetting `xml:"setting"`
}

type ssaidSetting struct {
	ID      string `xml:"id,attr"`
	Name    string `xml:"name,attr"` // the uid, or "userkey"
	Value   string `xml:"value,attr"`
	Package string `xml:"package,attr"`
}

func newSSAIDFile(userKey string) *ssaidFile {
	return &ssaidFile{Version: -1, Rows: []ssaidSetting{{ID: "0", Name: "userkey", Value: strings.ToUpper(userKey), Package: "android"}}}
}

func parseSSAID(data []byte) (*ssaidFile, error) {
	f := &ssaidFile{}
	if err := xml.NewDecoder(bytes.NewReader(data)).Decode(f); err != nil {
		return nil, fmt.Errorf("%s: %w", ssaidPath, err)
	}
	return f, nil
}

func (f *ssaidFile) encode() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "<?xml version='1.0' encoding='UTF-8' standalone='yes' ?>\n<settings version=\"%d\">\n", f.Version)
	for _, r := range f.Rows {
		fmt.Fprintf(&b, "  <setting id=\"%s\" name=\"%s\" value=\"%s\" package=\"%s\" defaultValue=\"%s\" defaultSysSet=\"%t\" tag=\"null\" />\n",
			escapeXML(r.ID), escapeXML(r.Name), escapeXML(r.Value), escapeXML(r.Package), escapeXML(r.Value), r.Name == "userkey")
	}
	b.WriteString("</settings>\n")
	return b.Bytes()
}

// find is the row of an app.
func (f *ssaidFile) find(name string) *ssaidSetting {
	for i := range f.Rows {
		if f.Rows[i].Name == name {
			return &f.Rows[i]
		}
	}
	return nil
}

// ssaid is Settings.Secure.ANDROID_ID as an app sees it. It is made when the
// app first asks: a keyed hash of the app's signer, so it is the same after a
// reinstall (SettingsProvider.generateSsaidLocked).
func (s *System) ssaid(a *app) (string, error) {
	s.ssaidMu.Lock()
	defer s.ssaidMu.Unlock()
	f, err := s.readSSAID()
	if err != nil {
		return "", err
	}
	uid := strconv.Itoa(a.UID)
	if row := f.find(uid); row != nil && row.Package == a.Name {
		return row.Value, nil
	}
	master := f.find("userkey")
	if master == nil {
		return "", fmt.Errorf("%s: has no userkey", ssaidPath)
	}
	key, err := hex.DecodeString(master.Value)
	if err != nil || len(key) == 0 {
		return "", fmt.Errorf("%s: its userkey is not hexadecimal", ssaidPath)
	}
	mac := hmac.New(sha256.New, key)
	for _, c := range a.Signers {
		_ = binary.Write(mac, binary.BigEndian, uint32(len(c))) // a hash never fails to take bytes
		mac.Write(c)
	}
	value := hex.EncodeToString(mac.Sum(nil)[:8])
	f.Rows = slices.DeleteFunc(f.Rows, func(r ssaidSetting) bool { return r.Name == uid })
	f.Rows = append(f.Rows, ssaidSetting{ID: strconv.Itoa(len(f.Rows)), Name: uid, Value: value, Package: a.Name})
	return value, s.writeFile(ssaidPath, f.encode(), 1000, 1000, 0o600)
}

func (s *System) readSSAID() (*ssaidFile, error) {
	data, err := s.files.ReadFile(ssaidPath)
	if err != nil {
		return nil, err
	}
	return parseSSAID(data)
}

// forgetSSAID drops an app's row, as the settings provider does when it is uninstalled.
func (s *System) forgetSSAID(a *app) {
	s.ssaidMu.Lock()
	defer s.ssaidMu.Unlock()
	f, err := s.readSSAID()
	if err != nil {
		return // a file that somebody spoiled holds no row to drop
	}
	f.Rows = slices.DeleteFunc(f.Rows, func(r ssaidSetting) bool { return r.Name == strconv.Itoa(a.UID) })
	if err := s.writeFile(ssaidPath, f.encode(), 1000, 1000, 0o600); err != nil {
		s.log.write(systemServerPID, 1000, 'E', "SettingsState", err.Error())
	}
}
