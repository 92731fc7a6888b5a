package live

import (
	"fmt"
	"slices"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"

	"github.com/unasked-audit/unasked/harness/evidence"
	"github.com/unasked-audit/unasked/internal/explain"
	"github.com/unasked-audit/unasked/internal/inert"
)

// The messages of the display, beside bubbletea's own.
type (
	arrived struct {
		event   evidence.Event
		spotted []Sighting
	}
	tick time.Time
	over struct{}
)

// model is the display: what the events add up to, and the clock.
type model struct {
	state     *state
	now       time.Time
	width     int
	height    int
	stopping  bool
	interrupt func()
}

// redraw is how often the clock on the display moves.
const redraw = 200 * time.Millisecond

func clock() tea.Cmd { return tea.Tick(redraw, func(t time.Time) tea.Msg { return tick(t) }) }

func (m *model) Init() tea.Cmd { return clock() }

func (m *model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case arrived:
		m.state.apply(msg.event, msg.spotted)
	case tick:
		m.now = time.Time(msg)
		return m, clock()
	case tea.WindowSizeMsg:
		m.width, m.height = msg.Width, msg.Height
	case tea.KeyMsg:
		if msg.Type == tea.KeyCtrlC && !m.stopping {
			m.stopping = true
			m.interrupt()
		}
	case over:
		return m, tea.Quit
	}
	return m, nil
}

var (
	bold  = lipgloss.NewStyle().Bold(true)
	faint = lipgloss.NewStyle().Faint(true)
	alarm = lipgloss.NewStyle().Foreground(lipgloss.AdaptiveColor{Light: "#B3261E", Dark: "#FF8A80"})
)

// shown is the most rows of hosts that the display takes, and of sightings on a low terminal.
const shown = 8

// taken is how many rows the display needs beside the two lists.
const taken = 12

func (m *model) View() string {
	s, width := m.state, m.width
	if width <= 0 || width > 100 {
		width = 100
	}
	var b strings.Builder
	line := func(format string, args ...any) {
		b.WriteString(lipgloss.NewStyle().MaxWidth(width).Render(fmt.Sprintf(format, args...)))
		b.WriteByte('\n')
	}
	line("%s  %s", bold.Render("unasked"), s.app)
	if s.device != "" {
		where := s.device
		if s.simulated {
			where += "  " + alarm.Render("SIMULATED DEVICE")
		}
		line("%s", where)
	}
	line("")
	switch {
	case m.stopping && s.ended == "":
		line("%s", alarm.Render("stopping: taking back what was set on the device, sealing the evidence"))
	case s.ended != "":
		line("%s", bold.Render(s.ended))
	case s.phase != "":
		line("%s  %s", bold.Render(s.phase), faint.Render(explain.Consent(s.consent)))
		line("%s", m.bar(min(40, width-20)))
	}
	if s.doing != "" {
		line("%s", faint.Render(s.doing))
	}
	line("")
	line("%s", bold.Render(explain.Count(int64(s.requests), "request", "requests"))+
		faint.Render(fmt.Sprintf(", %s not readable", explain.Count(int64(s.opaque), "connection", "connections"))))
	for _, host := range m.busiest() {
		line("  %5d  %s", s.hosts[host], inert.Middle(host, width-10))
	}
	if len(s.sightings) > 0 {
		line("")
		line("%s", alarm.Render("sent"))
		room := max(shown, m.height-taken-len(m.busiest()))
		if hidden := len(s.sightings) - room; hidden > 0 {
			line("  %s", faint.Render(fmt.Sprintf("… %d before these", hidden)))
		}
		for _, x := range s.sightings[max(0, len(s.sightings)-room):] {
			line("  %s → %s  %s", explain.Kind(x.Kind), inert.Middle(x.Host, 50), faint.Render(explain.Consent(x.consent)))
		}
	}
	return b.String()
}

// bar draws how much of the phase is over and what is left of it.
func (m *model) bar(width int) string {
	s := m.state
	if s.lasts <= 0 || width < 4 {
		return faint.Render("working")
	}
	passed := min(max(m.now.Sub(s.began), 0), s.lasts)
	full := int(float64(width) * float64(passed) / float64(s.lasts))
	left := (s.lasts - passed).Round(time.Second)
	return strings.Repeat("█", full) + faint.Render(strings.Repeat("░", width-full)) + "  " + left.String() + " left"
}

// busiest lists the hosts with the most requests, the most first.
func (m *model) busiest() []string {
	hosts := make([]string, 0, len(m.state.hosts))
	for h := range m.state.hosts {
		hosts = append(hosts, h)
	}
	slices.SortFunc(hosts, func(a, b string) int {
		if d := m.state.hosts[b] - m.state.hosts[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return hosts[:min(len(hosts), shown)]
}
