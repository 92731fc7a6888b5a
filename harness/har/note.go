package har

import (
	"fmt"
	"strconv"
	"strings"
)

// shown is how many entries a note names, and mostNotes how many notes there are; the
// rest is counted.
const (
	shown     = 8
	mostNotes = 50
)

// Note is something that was left out of a file, or is not as it should be.
type Note struct {
	What    string // said of one entry: "has no request and was left out"
	Entries []int  // the first of them, counted from 0
	Times   int    // how many there are
	Lost    Loss   // what may not be seen because of it
}

// Loss is which side of the traffic something is missing of.
type Loss int

// The losses.
const (
	LostNothing Loss = iota
	LostReceived
	LostSent // and perhaps received
)

// lost is the loss of something of a request or a response.
func lost(what string) Loss {
	if what == "request" {
		return LostSent
	}
	return LostReceived
}

// String is a sentence.
func (n Note) String() string {
	var list []string
	for _, i := range n.Entries {
		list = append(list, strconv.Itoa(i))
	}
	if n.Times == 1 {
		return fmt.Sprintf("Entry %s %s.", list[0], n.What)
	}
	and := ""
	if more := n.Times - len(list); more > 0 {
		and = fmt.Sprintf(" and %d more", more)
	}
	return fmt.Sprintf("%d entries, each: %s (entries %s%s).", n.Times, n.What, strings.Join(list, ", "), and)
}

// notes gathers notes, alike ones in one.
type notes struct {
	list []Note
	at   map[string]int
}

func (n *notes) add(entry int, what string, loss Loss) {
	if _, known := n.at[what]; !known && len(n.list) >= mostNotes {
		what = "is wrong in yet another way"
	}
	i, ok := n.at[what]
	if !ok {
		if n.at == nil {
			n.at = map[string]int{}
		}
		i = len(n.list)
		n.at[what] = i
		n.list = append(n.list, Note{What: what, Lost: loss})
	}
	note := &n.list[i]
	note.Times++
	if len(note.Entries) < shown {
		note.Entries = append(note.Entries, entry)
	}
}
