package schema

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"
)

func (v view) maintenance() *Maintenance {
	m := &Maintenance{
		Schedule: v.need("schedule"),
		Duration: v.duration("duration", 0),
		TimeZone: v.text("time_zone"),
		Range:    v.n.at(),
	}
	if m.TimeZone == "" {
		m.TimeZone = "UTC"
	}
	if m.Schedule != "" {
		if !v.l.remember("schedule "+m.Schedule, func() bool { return isSchedule(m.Schedule) }) {
			v.fail("schedule", ruleMaintenance, "Not a cron schedule",
				fmt.Sprintf("%s is not minute, hour, day of month, month, day of week.", shown(m.Schedule)), `as in "0 2 * * SAT" for Saturdays at two; the time zone has an attribute of its own`)
		}
	}
	const longest = 7 * 24 * time.Hour
	if v.n.args["duration"] != nil && !v.broken[v.prefix+"duration"] && (m.Duration < time.Minute || m.Duration > longest) {
		v.fail("duration", ruleMaintenance, "Unusable window",
			fmt.Sprintf("A maintenance window lasts from a minute to seven days, this one %s.", m.Duration), durationHint)
	}
	if !v.l.remember("zone "+m.TimeZone, func() bool { return isTimeZone(m.TimeZone) }) {
		v.fail("time_zone", ruleMaintenance, "Unknown time zone",
			fmt.Sprintf("%s is not a time zone's name.", shown(m.TimeZone)), `as in "Europe/Berlin" or "UTC"`)
	}
	return m
}

func isSchedule(s string) bool {
	fields := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	_, err := fields.Parse(s)
	return err == nil && !strings.Contains(s, "=") // the parser takes TZ=... in front
}

// isTimeZone refuses "Local", which is another zone on another machine.
func isTimeZone(s string) bool {
	_, err := time.LoadLocation(s)
	return err == nil && s != "Local"
}

// remember keeps the answers to questions that all instances of a block ask.
func (l *loader) remember(question string, answer func() bool) bool {
	known, ok := l.answers[question]
	if !ok {
		known = answer()
		l.answers[question] = known
	}
	return known
}
