package experiment

import (
	"fmt"
	"maps"
	"math/big"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// asked is what a service knows when it is asked for an id.
type asked struct {
	vector map[string]string
	slot   int    // how many runs went before
	launch int    // how many launches went before
	kept   string // what the app kept
	visit  int    // with this identity
}

// service answers with an id.
type service func(asked) string

// trial runs all arms against a service, in an order drawn by lot as an audit does.
func trial(seed uint64, n int, sources []string, answer service) []Run {
	type plan struct {
		role    Role
		changed string
		repeat  int
	}
	rest := []plan{{role: Restart, repeat: 1}}
	for i := range n {
		rest = append(rest, plan{Again, "", i + 1}, plan{New, "", i + 1})
	}
	for _, s := range sources {
		rest = append(rest, plan{Changed, s, 1}, plan{Changed, s, 2})
	}
	r := rand.New(rand.NewPCG(seed, 1))
	r.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	kinds := []string{"advertising_id", "email", "ssaid"}
	identity := func(of string) map[string]string {
		v := map[string]string{}
		for _, k := range kinds {
			v[k] = k + " of " + of
		}
		return v
	}
	var runs []Run
	launches, visits := 0, map[string]int{}
	for slot, p := range append(append([]plan{{First, "", 1}}, rest...), plan{Signup, "", 1}) {
		v := identity("X")
		label := fmt.Sprintf("%s%s#%d", p.role, p.changed, p.repeat)
		switch p.role {
		case New, Signup:
			v = identity(label)
		case Changed:
			v[p.changed] = "another " + label
		}
		key := fmt.Sprint(v)
		ask := func(kept string) string {
			launches++
			return answer(asked{vector: v, slot: slot, launch: launches, kept: kept, visit: visits[key]})
		}
		run := Run{Arm: label, Repeat: p.repeat, Role: p.role, Changed: p.changed, Vector: v, IDs: map[string]string{"s": ask("")}}
		if p.role == Restart || p.role == Signup {
			run.Then = map[string]string{"s": ask(run.IDs["s"])}
		}
		visits[key]++
		runs = append(runs, run)
	}
	return runs
}

func on(kinds ...string) service {
	return func(a asked) string {
		if a.kept != "" {
			return a.kept
		}
		id := "id"
		for _, k := range kinds {
			id += " " + a.vector[k]
		}
		return id
	}
}

func one(t *testing.T, runs []Run) Result {
	t.Helper()
	all := Decide(runs)
	if len(all) != 1 {
		t.Fatalf("%d results", len(all))
	}
	return all[0]
}

var allSources = []string{"advertising_id", "email", "ssaid"}

func TestServices(t *testing.T) {
	lottery := rand.New(rand.NewPCG(3, 3))
	for name, c := range map[string]struct {
		answer      service
		recoverable bool
		hangs       []string
		scoped      bool
		continuity  bool
		open        string // in Open
		openHangs   string
		grounds     string
	}{
		"keyed on the SSAID": {answer: on("ssaid"), recoverable: true, hangs: []string{"ssaid"}, continuity: true,
			grounds: "the same identity was given the same id in 5 of 5 runs, and a new identity in none of 5 (exact test, one-sided: p = 1/252)"},
		"keyed on two together": {answer: on("ssaid", "email"), recoverable: true, hangs: []string{"email", "ssaid"}, continuity: true},
		"keyed on either of two": {answer: func() service {
			known := map[string]string{}
			return func(a asked) string {
				for _, k := range []string{"ssaid", "email"} {
					if id := known[a.vector[k]]; id != "" {
						return id
					}
				}
				id := fmt.Sprint("id ", a.slot)
				known[a.vector["ssaid"]], known[a.vector["email"]] = id, id
				return id
			}
		}(), recoverable: true, continuity: true, openHangs: "one of several or a combination"},
		"drifts with time": {answer: func(a asked) string {
			if a.kept != "" {
				return a.kept
			}
			return fmt.Sprint("id ", a.slot/6)
		}, continuity: true, open: "does not follow the identity"},
		"drifts fast": {answer: func(a asked) string {
			if a.kept != "" {
				return a.kept
			}
			return fmt.Sprint("id ", a.slot)
		}, scoped: true, continuity: true, grounds: "was given another id in 5 of 5 runs; a restart kept it in 1 of 1 run: it stands for the installation"},
		"the same for everybody": {answer: func(asked) string { return "id" }, open: "the same for everybody, or it hangs on something that no arm changes"},
		"anew at each launch":    {answer: func(a asked) string { return fmt.Sprint("id ", a.launch) }, grounds: "it stands for a launch"},
		"one for X and one for the rest": {answer: func(a asked) string {
			if strings.HasSuffix(a.vector["ssaid"], " of X") {
				return "x"
			}
			return "rest"
		}, open: "different new identities were given the same id"},
		"by lot": {answer: func(asked) string { return fmt.Sprint("id ", lottery.IntN(2)) }, open: "does not follow"},
		"another one after the sign-up": {answer: func(a asked) string {
			if a.kept != "" && strings.HasPrefix(a.vector["ssaid"], "ssaid of G") {
				return "signed up"
			}
			return on("ssaid")(a)
		}, recoverable: true, hangs: []string{"ssaid"}},
	} {
		t.Run(name, func(t *testing.T) {
			runs := trial(uint64(len(name)), 5, allSources, c.answer)
			r := one(t, runs)
			if r.Recoverable != c.recoverable || r.InstallationScoped != c.scoped || r.Continuity != c.continuity || !slices.Equal(r.HangsOn, c.hangs) {
				t.Errorf("recoverable %v, hangs on %v, installation-scoped %v, continuity %v", r.Recoverable, r.HangsOn, r.InstallationScoped, r.Continuity)
			}
			if !strings.Contains(r.Open, c.open) || c.open == "" && r.Open != "" || !strings.Contains(r.OpenHangs, c.openHangs) || !strings.Contains(r.Grounds, c.grounds) {
				t.Errorf("open %q, %q, grounds %q", r.Open, r.OpenHangs, r.Grounds)
			}
			if r.Recoverable && Write(r.P) != "1/252" {
				t.Errorf("p = %s", Write(r.P))
			}
			if r.Grounds == "" && r.Open == "" {
				t.Error("nothing is said")
			}
			lottery := rand.New(rand.NewPCG(9, 9))
			for range 5 {
				lottery.Shuffle(len(runs), func(i, j int) { runs[i], runs[j] = runs[j], runs[i] })
				if again := one(t, runs); !reflect.DeepEqual(again, r) {
					t.Fatalf("another order of the same runs gives %+v, and not %+v", again, r)
				}
			}
		})
	}
}

// What was not answered, or not done, must not fake a result.
func TestMissing(t *testing.T) {
	lose := func(runs []Run, which func(*Run) bool, how func(*Run)) []Run {
		for i := range runs {
			if which(&runs[i]) {
				how(&runs[i])
			}
		}
		return runs
	}
	silent := func(r *Run) { r.IDs, r.Then = nil, nil }
	undone := func(r *Run) { silent(r); r.Undone = "the device gives no root" }
	role := func(role Role) func(*Run) bool { return func(r *Run) bool { return r.Role == role } }
	fresh := func(n int) []Run { return trial(1, n, allSources, on("ssaid")) }

	if r := one(t, lose(fresh(5), func(r *Run) bool { return r.Role == Again && r.Repeat < 3 }, silent)); !r.Recoverable || r.Again != (Count{3, 3}) || Write(r.P) != "1/56" {
		t.Errorf("three of five answers: %+v", r)
	}
	if r := one(t, lose(fresh(5), role(Again), silent)); r.Recoverable || !strings.Contains(r.Open, "no run with the same identity") {
		t.Errorf("no answer after a wipe: %+v", r)
	}
	if r := one(t, lose(fresh(5), role(New), undone)); r.Recoverable || !strings.Contains(r.Open, "the device gives no root") {
		t.Errorf("no new identity: %+v", r)
	}
	if r := one(t, lose(fresh(5), role(New), func(r *Run) { maps.Copy(r.Vector, fresh(1)[0].Vector) })); r.Recoverable || !strings.Contains(r.Open, "could not be given a new identity") {
		t.Errorf("a new identity that is the old one: %+v", r)
	}
	if r := one(t, lose(fresh(5), role(First), silent)); !r.Recoverable || r.HangsOn[0] != "ssaid" {
		t.Errorf("no first answer: %+v", r)
	}
	if r := one(t, lose(fresh(5), func(r *Run) bool { return r.Changed == "ssaid" }, undone)); !r.Recoverable || len(r.HangsOn) > 0 ||
		!strings.Contains(r.OpenHangs, "none of advertising_id and email alone") || !strings.Contains(r.OpenHangs, "not tested: ssaid (the device gives no root)") {
		t.Errorf("the SSAID could not be changed: %+v", r)
	}
	if r := one(t, lose(fresh(5), func(r *Run) bool { return r.Changed == "ssaid" && r.Repeat == 2 }, silent)); len(r.HangsOn) > 0 || !strings.Contains(r.OpenHangs, "changing ssaid gave another id in 1 of 1 run, which may be chance (p = 1/6)") {
		t.Errorf("the SSAID was changed once: %+v", r)
	}
	if r := one(t, lose(fresh(5), role(Signup), silent)); r.Continuity || r.OpenContinuity == "" {
		t.Errorf("nobody answered the sign-up: %+v", r)
	}
	if r := one(t, fresh(2)); r.Recoverable || !strings.Contains(r.Open, "p = 1/6") {
		t.Errorf("two and two: %+v", r)
	}
	if r := one(t, fresh(3)); !r.Recoverable || Write(r.P) != "1/20" {
		t.Errorf("three and three: %+v", r)
	}
	if r := one(t, lose(fresh(5), func(*Run) bool { return true }, func(r *Run) { r.Vector = nil })); r.Recoverable || r.Continuity || r.Open == "" || r.OpenContinuity == "" {
		t.Errorf("no identities: %+v", r)
	}
	// One of five times, the service lost the account.
	if r := one(t, lose(fresh(5), func(r *Run) bool { return r.Role == Again && r.Repeat == 1 }, func(r *Run) { r.IDs["s"] = "lost" })); !r.Recoverable || r.Again != (Count{4, 5}) || Write(r.P) != "1/42" {
		t.Errorf("lost once: %+v", r)
	}
	// A service that gives everybody the same id gives it to whoever signs up, too.
	if r := one(t, trial(1, 5, nil, func(asked) string { return "id" })); r.Continuity || r.OpenContinuity == "" {
		t.Errorf("everybody's id went on after a sign-up: %+v", r)
	}
	// An id that only who signs up is given is none that comes back.
	if r := one(t, lose(fresh(5), func(r *Run) bool { return r.Role != Signup }, silent)); r.Recoverable || r.Open != "" || !r.Continuity {
		t.Errorf("given after a sign-up only: %+v", r)
	}
	if Decide(nil) != nil {
		t.Error("no runs give results")
	}
}

// A service whose answers have nothing to do with the identity is accused no more often
// than the level allows, whatever it does over time.
func TestFalseAlarms(t *testing.T) {
	alarms := 0
	const trials = 2000
	for i := range uint64(trials) {
		r := rand.New(rand.NewPCG(i, 2))
		series := make([]string, 64) // two ids in stretches of random length
		for j, id := 0, 0; j < len(series); j++ {
			if r.IntN(3) == 0 {
				id = 1 - id
			}
			series[j] = fmt.Sprint("id ", id)
		}
		if one(t, trial(i, 5, nil, func(a asked) string { return series[a.slot] })).Recoverable {
			alarms++
		}
	}
	if alarms > trials/20 {
		t.Errorf("%d of %d", alarms, trials)
	}
}

func TestExactAgainstPublishedTables(t *testing.T) {
	for _, c := range []struct {
		a, b Count
		want string
		p    float64
	}{
		{Count{5, 5}, Count{0, 5}, "1/252", 0.00397},  // 1 in 10 over 5
		{Count{4, 4}, Count{0, 4}, "1/70", 0.0143},    // Fisher 1935, chapter II: the lady tasting tea
		{Count{3, 4}, Count{1, 4}, "17/70", 0.2429},   // the same with one cup wrong, both ways
		{Count{10, 13}, Count{2, 17}, "", 0.0004652},  // Fisher 1962: convictions of like-sex twins of criminals
		{Count{3, 3}, Count{0, 3}, "1/20", 0.05},      // Siegel 1956, table I: the smallest table at 5%
		{Count{0, 5}, Count{0, 5}, "1", 1},            // nothing in either
		{Count{0, 5}, Count{5, 5}, "1", 1},            // the other way round
		{Count{0, 0}, Count{3, 5}, "1", 1},            // no group
		{Count{50, 50}, Count{0, 50}, "", 9.9119e-30}, // 1 in 100 over 50
	} {
		p := Exact(c.a, c.b)
		if v, _ := p.Float64(); v < c.p*0.998 || v > c.p*1.002 {
			t.Errorf("%v against %v: %v, want %v", c.a, c.b, v, c.p)
		}
		if got := Write(p); c.want != "" && got != c.want {
			t.Errorf("%v against %v: %s, want %s", c.a, c.b, got, c.want)
		}
	}
	// All ways of drawing the runs by lot, counted one by one, give the same.
	for bits := range 1 << 9 {
		a, b := Count{Of: 5}, Count{Of: 4}
		signs := 0
		for i := range 9 {
			if bits>>i&1 == 1 {
				signs++
				if i < 5 {
					a.Times++
				} else {
					b.Times++
				}
			}
		}
		extreme, all := int64(0), int64(0)
		for lot := range 1 << 9 {
			first, in := 0, 0
			for i := range 9 {
				if lot>>i&1 == 1 {
					first++
					in += bits >> i & 1
				}
			}
			if first == 5 {
				all++
				if in >= a.Times {
					extreme++
				}
			}
		}
		if want := big.NewRat(extreme, all); Exact(a, b).Cmp(want) != 0 {
			t.Fatalf("%v against %v: %v, want %v", a, b, Exact(a, b), want)
		}
	}
}
