package groundtruth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b) // never fails
	return b
}

// opaque is n random bytes in base64url, as tokens look.
func opaque(n int) string { return base64.RawURLEncoding.EncodeToString(random(n)) }

// hexID is n random bytes in hexadecimal.
func hexID(n int) string { return hex.EncodeToString(random(n)) }

func hex12() string { return hexID(12) } // an ObjectId of MongoDB
func hex16() string { return hexID(16) }
func hex20() string { return hexID(20) }

// uuid is a random UUID (RFC 9562, section 5.4).
func uuid() string {
	b := random(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// letters is n random characters of an alphabet, as several services make ids.
func letters(alphabet string, n int) string {
	b := random(n)
	for i := range b {
		b[i] = alphabet[int(b[i])%len(alphabet)]
	}
	return string(b)
}

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// firebaseUID is 28 characters, as Firebase Authentication numbers people.
func firebaseUID() string { return letters(base62, 28) }

// snowflake is a number of 19 digits.
func snowflake() string {
	return strconv.FormatUint(7_000_000_000_000_000_000+binary.LittleEndian.Uint64(random(8))%1_000_000_000_000_000_000, 10)
}

// short is a number that anybody could guess.
func short() string {
	return strconv.FormatUint(1_000_000+binary.LittleEndian.Uint64(random(8))%9_000_000, 10)
}

var jwtKey = random(32)

// jwt signs claims as a JSON Web Token (RFC 7519) with HS256.
func jwt(claims object) string {
	now := time.Now()
	claims["iat"], claims["exp"], claims["jti"] = now.Unix(), now.Add(time.Hour).Unix(), hexID(8)
	enc := base64.RawURLEncoding
	body := enc.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + enc.EncodeToString(encode(claims))
	mac := hmac.New(sha256.New, jwtKey)
	mac.Write([]byte(body))
	return body + "." + enc.EncodeToString(mac.Sum(nil))
}

func stamp() string { return time.Now().UTC().Format(time.RFC3339) }

// digits is a number of n digits.
func digits(n int) string { return letters("123456789", 1) + letters("0123456789", n-1) }
