// Keeps the page as the connections are, and opens them one after the other in
// one tab.
"use strict";

const items = [...document.querySelectorAll("#connections > li")];
const links = items.map((item) => item.querySelector(".button"));
const auto = document.getElementById("auto");
let tab = null; // where connections are opened; ours as long as its pages let us hold on to it
let current = -1;

const say = (text) => { document.getElementById("status").textContent = text; };
const waits = (i) => items[i].dataset.state === "waiting";

// next returns the first waiting connection after i, then from the top; -1: none.
const next = (i) => {
	for (let n = 1; n <= items.length; n++) {
		const at = (i + n + items.length) % items.length;
		if (waits(at)) return at;
	}
	return -1;
};

function mark() {
	const first = current >= 0 && waits(current) ? current : next(current);
	items.forEach((item, i) => item.classList.toggle("next", i === first));
}

// go opens a connection. Only a press may open a tab; without one, the tab that
// is open already is led on, which browsers allow to its opener only. Pages that
// cut the tie (Cross-Origin-Opener-Policy) show as a closed tab: then each
// connection takes a press.
function go(i, pressed) {
	if (!tab || tab.closed) {
		if (!pressed) return false;
		tab = window.open("", "_blank");
		if (!tab) return false;
	}
	tab.location.href = links[i].href;
	current = i;
	fetch("sent/" + i, { method: "POST" });
	say("Opened organization " + links[i].dataset.name + ": click Allow there.");
	mark();
	links[i].scrollIntoView({ block: "nearest" });
	return true;
}

links.forEach((link, i) => {
	link.dataset.name = items[i].querySelector(".name").textContent;
	link.addEventListener("click", (event) => {
		if (event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) {
			fetch("sent/" + i, { method: "POST" });
			return;
		}
		if (go(i, true)) {
			event.preventDefault();
			tab.focus();
		}
	});
});

function show(state) {
	const before = items.map((item) => item.dataset.state);
	state.rows.forEach((row, i) => {
		items[i].dataset.state = row.state;
		items[i].querySelector(".text").textContent = row.text;
		const settings = items[i].querySelector(".settings");
		settings.hidden = !row.settings;
		if (row.settings) settings.href = row.settings;
		links[i].hidden = row.state === "done" || row.state === "lost";
	});
	document.title = `${state.done} of ${state.total} connected - bbsync authorize`;
	document.getElementById("count").textContent = `${state.done} of ${state.total} connected`;
	document.getElementById("progress").value = state.done;
	const differs = (i) => state.rows[i].state !== before[i];
	const changed = current >= 0 && differs(current) ? current : items.findIndex((item, i) => differs(i));
	if (changed >= 0) tell(state.rows[changed], changed);
	if (state.done === state.total) say("All are connected. You can close this page; bbsync goes on in its terminal.");
	else if (state.over) say("bbsync has stopped waiting. Run it again to go on.");
	mark();
}

// tell says what happened, its row says the rest, and leads on to the next when
// it was the open one.
function tell(row, i) {
	say(`${row.name}: ${row.text.split(". ")[0]}.`);
	if (i !== current || row.state !== "done") return;
	const then = next(i);
	if (then < 0) return;
	if (auto.checked && go(then, false)) return;
	current = -1;
	mark();
	links[then].focus({ preventScroll: true });
	links[then].scrollIntoView({ block: "nearest" });
	say(`${row.name} is connected. Press Enter to connect organization ${links[then].dataset.name}.`);
}

const source = new EventSource("events");
source.onmessage = (event) => {
	const state = JSON.parse(event.data);
	show(state);
	if (state.over) source.close();
};
source.onerror = () => {
	if (source.readyState !== EventSource.CLOSED && document.getElementById("progress").value < items.length) {
		say("bbsync does not answer: is it still running?");
	}
};
mark();
