package canary

func Derive(seed []byte, label string) Identity { return Identity{Label: label} }
func Decoys(seed []byte, label string) Identity { return Identity{Label: label} }
func Refuse(c Canary) error                     { return nil }
