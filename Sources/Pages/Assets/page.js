// What a lesson's page does in the browser: goes from place to place, shows the state there, marks what changed. The words and the
// state come with the page; nothing is fetched. Texts are set as text, never as markup.
"use strict";
(() => {
    const data = JSON.parse(document.getElementById("lesson").textContent);
    const texts = data.texts;
    const $ = (id) => document.getElementById(id);
    const text = (n) => texts[n] ?? "";

    /** An element with children: strings become text. */
    const make = (name, attributes = {}, ...children) => {
        const element = document.createElement(name);
        for (const [key, value] of Object.entries(attributes)) if (value !== undefined) element.setAttribute(key, value);
        element.append(...children.filter((child) => child !== undefined && child !== ""));
        return element;
    };

    // ---- Places ----

    // A place: actor, what is said of the step (a row of name, function, title, what, why, source), result, operation (-1: none), path.
    const stops = new Map(data.stops);
    let step = data.first - 1;
    const places = data.places.map(([actor, said, result, operation, path], index) => {
        const stop = stops.get(index) ?? 0;
        if (!stop) step += 1;
        const [name, words, title, what, why, source] = data.rows[said].map(text);
        const [first, last] = data.paths[path];
        return {
            index, step, stop, name, function: words, title, what, why, source, operation, first, last,
            actor: text(actor), result: text(result), label: stop ? `${step}+${stop}` : `${step}`,
        };
    });
    const byLabel = new Map(places.map((place) => [place.label, place.index]));
    const operations = data.operations.map(([actor, words, note, isOther]) => ({
        actor: text(actor), text: text(words), note: text(note), isOther: isOther === 1,
    }));
    const faults = data.faults;
    const broken = data.broken.map((row) => ({ ...row, rule: text(row.rule), story: text(row.story), about: text(row.about) }));
    const brokenAt = new Map();
    for (const one of broken) brokenAt.set(one.place, [...(brokenAt.get(one.place) ?? []), one]);
    const faultAt = new Map(faults.map((fault) => [fault.taken, fault]));
    const last = places.length - 1;

    // ---- State: the first whole, the others by what is different ----

    const states = [data.state];
    const patched = (node, patch) => {
        if (typeof patch === "number") return patch;
        if ("=" in patch) return patch["="];
        if ("-" in patch) {
            const [start, removed, ...nodes] = patch["-"];
            return [...node.slice(0, start), ...nodes, ...node.slice(start + removed)];
        }
        const copy = node.slice();
        for (const [index, child] of Object.entries(patch)) copy[index] = patched(node[index], child);
        return copy;
    };
    const stateAt = (index) => {
        while (states.length <= index) {
            const before = states[states.length - 1], patch = data.patches[states.length - 1];
            states.push(patch === null ? before : patched(before, patch));
        }
        return states[index];
    };

    // ---- Drawing a section, beside what it was one place before ----

    const MARKS = ["", "stale", "wrong", "right", "dim"];
    const cellOf = (cell) => (Array.isArray(cell) ? { text: text(cell[0]), mark: MARKS[cell[1]] } : { text: text(cell), mark: "" });

    /** A value, with what it was where that is another. */
    const value = (name, cell, was) => {
        const { text: words, mark } = cellOf(cell);
        const element = make(name, { class: mark || undefined });
        const isChanged = was !== undefined && cellOf(was).text !== words;
        element.append(isChanged ? make("ins", {}, words || "nothing") : words);
        if (mark === "stale" && !/stale|UNKNOWN/.test(words)) element.append(make("span", { class: "word" }, " ~ stale"));
        if (isChanged) {
            element.classList.add("changed");
            element.append(make("span", { class: "was" }, ` * was ${cellOf(was).text || "nothing"}`));
        }
        return element;
    };

    const rowKey = (row, key) => row.slice(0, key).map((cell) => cellOf(cell).text).join("\u0000");

    /** The block of the section before that this one goes on from: of the same kind, under the same caption. */
    const matching = (blocks, block, index) => {
        const isSame = (other) => other && other[0] === block[0] && (block[0] === 1 || block[0] === 2 ? other[1] === block[1] : true);
        if (block[0] === 1 || block[0] === 2) return blocks.find(isSame);
        return isSame(blocks[index]) ? blocks[index] : undefined;
    };

    const drawBlock = (block, was) => {
        switch (block[0]) {
            case 0: {
                const { text: words, mark } = cellOf(block[1]);
                return make("p", { class: mark || undefined }, words);
            }
            case 1: {
                const list = make("dl");
                const before = new Map((was?.[2] ?? []).map((row) => data.rows[row]));
                for (const [term, cell] of block[2].map((row) => data.rows[row])) {
                    const old = was ? before.get(term) ?? 0 : undefined;
                    list.append(make("div", {}, make("dt", {}, text(term)), value("dd", cell, old)));
                }
                if (!block[1]) return list;
                return make("figure", {}, make("figcaption", {}, text(block[1])), list);
            }
            case 2: {
                const [, caption, columns, key] = block;
                const rows = block[4].map((row) => data.rows[row]);
                const table = make("table", {}, make("caption", {}, text(caption)));
                const head = make("tr");
                for (const column of columns) head.append(make("th", { scope: "col" }, text(column)));
                const body = make("tbody");
                const before = new Map((was?.[4] ?? []).map((row) => data.rows[row]).map((row) => [rowKey(row, key), row]));
                const now = new Set(rows.map((row) => rowKey(row, key)));
                const add = (row, old, state) => {
                    const line = make("tr", { class: state || undefined });
                    row.forEach((cell, i) => {
                        const element = i < key ? value("th", cell) : value("td", cell, old?.[i]);
                        if (i < key) element.setAttribute("scope", "row");
                        if (i === 0 && state === "new") element.prepend(make("span", { class: "was" }, "* new "));
                        if (i === 0 && state === "gone") element.prepend(make("span", { class: "was" }, "* gone "));
                        line.append(element);
                    });
                    if (line.querySelector(".changed")) line.classList.add("has-change");
                    body.append(line);
                };
                const gone = was ? [...before].filter(([name]) => !now.has(name)) : [];
                for (const row of rows) {
                    const old = before.get(rowKey(row, key));
                    add(row, old, was && !old ? "new" : "");
                }
                for (const [, row] of gone) add(row, undefined, "gone");
                table.append(make("thead", {}, head), body);
                return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": text(caption) }, table);
            }
            default: {
                const [, part, whole, words] = block;
                return make("p", { class: "meter" }, make("meter", { min: 0, max: whole, value: part, low: 2 }, text(words)), " ", text(words));
            }
        }
    };

    /** A section as HTML; `was`: the same one place before, for the marks. */
    const drawSection = ([id, title, blocks], was, prefix) => {
        const name = text(id);
        const heading = make("h3", { id: `${prefix}${name}` }, text(title));
        const section = make("section", { class: `pane ${name}`, "aria-labelledby": `${prefix}${name}`, "data-section": name }, heading);
        blocks.forEach((block, i) => section.append(drawBlock(block, was && matching(was[2], block, i))));
        if (section.querySelector(".changed, .new, .gone")) {
            section.classList.add("touched");
            heading.append(make("span", { class: "touched-word" }, " * changed"));
        }
        return section;
    };

    const drawState = (container, index, before, prefix, only = () => true) => {
        const now = stateAt(index), old = before === undefined ? undefined : stateAt(before);
        const byId = new Map((old ?? []).map((section) => [section[0], section]));
        container.replaceChildren(
            ...now.map((section) => drawSection(section, byId.get(section[0]), prefix)).filter(only));
    };

    // ---- The page ----

    let here = 0, count = "", predicts = false, marks = { only: false };

    const line = (place) => {
        if (place.index === 0 && place.step === 0) return "The start: nothing happened yet";
        if (!place.result || place.result === place.title) return place.title;
        return place.title + (place.title.endsWith("?") ? " " : ": ") + place.result;
    };

    const drawPath = () => {
        const place = places[here], path = $("path");
        path.replaceChildren();
        // A fault may take thousands of steps; what is far away is a step away.
        const first = Math.max(place.first, here - 60), end = predicts ? here : Math.min(place.last, here + 60);
        const several = new Set(places.slice(first, end + 1).map((one) => one.actor).filter(Boolean)).size > 1;
        let group, list, lastActor;
        if (first > place.first) path.append(make("p", { class: "dim" }, `… ${first - place.first} steps before`));
        for (let i = first; i <= end; i++) {
            const one = places[i];
            if (i === 0 && one.step === 0 && here !== 0) continue;
            const name = one.stop ? "Between two steps" : one.function || one.name || "Start";
            if (name !== group || one.actor !== lastActor || !list) {
                const who = several && one.actor && one.actor !== lastActor ? `${one.actor}: ` : "";
                path.append(make("h4", { class: i > here ? "upcoming" : undefined }, who + name));
                list = make("ol", { start: Math.max(0, one.step) });
                path.append(list);
                group = name;
                lastActor = one.actor;
            }
            const isHere = i === here, isBroken = brokenAt.has(i);
            // What is still to come keeps its result to itself.
            const words = i > here ? one.title : line(one);
            const link = make("a", { href: `#${one.label}`, "aria-current": isHere ? "step" : undefined }, words);
            const mark = isHere ? "▶" : i > here ? "·" : isBroken ? "✗" : "✓";
            const item = make("li", { class: isHere ? "here" : i > here ? "upcoming" : isBroken ? "wrong" : undefined, value: one.step },
                make("span", { class: "mark", "aria-hidden": "true" }, mark), " ", link);
            list.append(item);
        }
        if (end < place.last && !predicts) path.append(make("p", { class: "dim" }, `… ${place.last - end} steps more`));
        const current = path.querySelector("[aria-current]");
        const box = path.parentElement;
        if (current && box.scrollHeight > box.clientHeight) {
            const top = current.getBoundingClientRect().top - box.getBoundingClientRect().top + box.scrollTop;
            box.scrollTop = Math.max(0, top - box.clientHeight * 0.6);
        }
    };

    const drawWhy = () => {
        const place = places[here], why = $("why");
        const parts = [];
        for (const one of brokenAt.get(here) ?? []) {
            parts.push(make("p", { class: "wrong broken" }, make("strong", {}, `✗ BROKEN ${one.rule}: `), `${one.about}. ${one.story}`));
        }
        parts.push(make("p", { class: "now" }, line(place)));
        if (here === 0 && place.step === 0) {
            parts.push(make("p", {}, data.about || data.title));
            if (data.question) parts.push(make("p", { class: "note" }, make("strong", {}, "It asks: "), data.question));
        }
        if (place.what) parts.push(make("p", {}, make("strong", {}, "What: "), place.what));
        if (place.why) parts.push(make("p", { class: "reason" }, make("strong", {}, "Why: "), place.why));
        if (place.source) parts.push(make("p", { class: "dim source" }, `From: ${place.source}`));
        const operation = operations[place.operation];
        if (operation) {
            const name = operation.actor ? `${operation.actor}: ` : "";
            parts.push(make("p", { class: "operation" }, make("strong", {}, "Action: "), make("code", {}, name + operation.text)));
            if (operation.note) parts.push(note(operation));
        }
        why.replaceChildren(...parts);
    };

    const note = (operation) =>
        make("p", { class: operation.isOther ? "note dim" : "note" }, make("strong", {}, "Note: "),
            (operation.isOther ? "Said of another course, may not hold here: " : "") + operation.note);

    const faultOf = (index) => {
        const actor = places[index].actor;
        const inside = faults.filter((fault) => fault.first <= index && index <= fault.last);
        return inside.find((fault) => text(fault.actor) === actor) ?? inside[inside.length - 1];
    };

    const drawHead = () => {
        const place = places[here], fault = faultOf(here);
        const parts = [`Step ${place.label} of ${data.count}`];
        if (place.actor) parts.push(place.actor);
        if (fault) parts.push(`fault ${fault.number} of ${data.faultCount}`);
        $("where").textContent = parts.join(", ");
        const slider = $("slider");
        slider.value = here;
        slider.setAttribute("aria-valuetext", `${parts.join(", ")}: ${place.title || "the start"}`);
        $("back").disabled = $("start").disabled = here === 0;
        $("on").disabled = $("end").disabled = here === last;
        $("fault-back").disabled = previousFault() === undefined;
        $("fault-on").disabled = nextFault() === undefined;
        document.body.dataset.place = place.label;
    };

    const draw = (speaks) => {
        drawHead();
        drawPath();
        drawWhy();
        drawState($("state"), here, here > 0 ? here - 1 : undefined, "s-", (section) => !marks.only || section.classList.contains("touched"));
        if (!$("state").childElementCount) $("state").append(make("p", { class: "dim" }, "This step changed nothing that is shown."));
        drawQuestion();
        if (speaks) {
            const bad = (brokenAt.get(here) ?? []).map((one) => `Broken: ${one.rule}. `).join("");
            $("live").textContent = `${bad}Step ${places[here].label}: ${line(places[here])}`;
        }
    };

    // ---- Questions: before a step, what comes of it ----

    const questions = new Map(data.questions.map((one) => [one.place, one]));
    const answered = new Map();
    const score = () => {
        const all = [...answered.values()];
        return all.length ? `${all.filter((one) => one.right).length} of ${all.length} right` : "";
    };
    /** The question about the next place, where one is asked: an author's always, others while one predicts. */
    const asked = () => {
        const question = questions.get(here + 1);
        return question && (predicts || question.author) ? question : undefined;
    };
    const isOpen = () => predicts && asked() !== undefined && !answered.has(here + 1);

    /** Numbers by what they are, in whichever base; else texts. */
    const isSame = (typed, value) => {
        const clean = (words) => words.trim().toLowerCase().replace(/\s+/g, " ");
        const number = (words) => (/^(0x[0-9a-f]+|0b[01]+|[0-9]+)$/.test(words) ? BigInt(words) : undefined);
        const a = number(clean(typed)), b = number(clean(value));
        return a !== undefined && b !== undefined ? a === b : clean(typed) === clean(value);
    };

    const drawQuestion = () => {
        const box = $("asked"), question = asked();
        box.replaceChildren();
        if (!question) return;
        const place = here + 1, given = answered.get(place);
        const choices = question.choices.map(text);
        const form = make("form", { class: "card question", "aria-labelledby": "question" });
        form.append(make("h2", { id: "question" }, question.author ? "The author asks" : "What comes next?"), make("p", {}, text(question.text)));
        const answer = (typed) => {
            if (typed === undefined || typed === "") return;
            answered.set(place, { typed, right: choices.length ? typed === choices[question.right] : isSame(typed, text(question.value)) });
            draw(false);
            $("live").textContent = answered.get(place).right ? "Right." : "Wrong.";
            $("asked").querySelector("button")?.focus();
        };
        if (given) {
            const right = choices.length ? choices[question.right] : text(question.value);
            form.append(make("p", { class: given.right ? "right" : "wrong" }, make("strong", {}, given.right ? "✓ Right: " : "✗ Wrong: "), given.typed,
                given.right ? "" : `. It is: ${right}`));
            if (text(question.because)) form.append(make("p", {}, text(question.because)));
            const on = make("button", { type: "button" }, "step ›");
            on.addEventListener("click", () => go(here + 1));
            form.append(on);
            if (score()) form.append(make("span", { class: "dim" }, ` ${score()}`));
        } else {
            if (choices.length) {
                const set = make("fieldset", {}, make("legend", { class: "hidden" }, "Answers"));
                choices.forEach((words, i) => set.append(make("label", {}, make("input", { type: "radio", name: "answer", value: String(i) }), ` ${i + 1}. ${words}`)));
                form.append(set);
            } else {
                form.append(make("label", {}, "A value, in any base: ", make("input", { type: "text", name: "answer", autocomplete: "off" })));
            }
            form.append(make("button", { type: "submit" }, "Answer"));
            if (text(question.hint)) {
                const hint = make("button", { type: "button" }, "Hint");
                hint.addEventListener("click", () => hint.replaceWith(make("p", { role: "status" }, text(question.hint))));
                form.append(" ", hint);
            }
            const skip = make("button", { type: "button" }, "Leave it");
            skip.addEventListener("click", () => { const target = here + 1; answered.delete(target); move(target, true); });
            form.append(" ", skip);
            form.addEventListener("submit", (event) => {
                event.preventDefault();
                const chosen = new FormData(form).get("answer");
                answer(choices.length ? choices[Number(chosen ?? -1)] : String(chosen ?? ""));
            });
        }
        box.append(form);
    };

    const predict = () => {
        predicts = !predicts;
        $("predict").setAttribute("aria-pressed", String(predicts));
        draw(false);
        if (predicts) $("live").textContent = "Predicting: before a step that decides something, its outcome is asked.";
    };

    /** Goes to a place; while one predicts, not past what is asked and has no answer yet. */
    const go = (index, speaks = true) => {
        if (isOpen() && index > here) {
            $("live").textContent = "First the question, or leave it.";
            $("asked").querySelector("input, button")?.focus();
            return;
        }
        let target = index;
        if (predicts) {
            // The first question on the way is where a far step ends.
            for (let i = here + 1; i <= index; i++) if (questions.has(i) && !answered.has(i) && i !== here + 1) { target = i - 1; break; }
        }
        move(target, speaks);
    };

    /** Goes to a place, and says so in the address. */
    const move = (index, speaks = true) => {
        const target = Math.min(Math.max(index, 0), last);
        if (target === here && speaks) return;
        here = target;
        // A file opened from disk may refuse a changed address; then the page does without.
        try { history.replaceState(null, "", `#${places[here].label}`); } catch { /* nothing lost */ }
        draw(speaks);
    };

    const followAddress = () => {
        const index = byLabel.get(decodeURIComponent(location.hash.slice(1)));
        if (index !== undefined && index !== here) { here = index; draw(true); }
    };

    // ---- Moving ----

    const nextFault = () => faults.map((fault) => fault.first).filter((place) => place > here).sort((a, b) => a - b)[0];
    const previousFault = () => faults.map((fault) => fault.first).filter((place) => place < here).sort((a, b) => b - a)[0];
    const faultEnd = () => {
        const fault = faultOf(here);
        if (fault && here < fault.last) return fault.last;
        return places[here].last > here ? places[here].last : here + 1;
    };
    const faultStart = () => {
        const fault = faultOf(here);
        if (fault && here > fault.first) return fault.first;
        return places[here].first < here ? places[here].first : here - 1;
    };
    const nextBroken = () => broken.map((one) => one.place).filter((place) => place > here).sort((a, b) => a - b)[0] ?? last;
    const previousBroken = () => broken.map((one) => one.place).filter((place) => place < here).sort((a, b) => b - a)[0] ?? 0;
    const showOnlyChanges = () => {
        marks.only = !marks.only;
        $("changes").setAttribute("aria-pressed", String(marks.only));
        draw(false);
    };
    const showHelp = () => { const help = $("help"); help.open ? help.close() : help.showModal(); };
    const showHandout = () => {
        const isShown = document.body.classList.toggle("shows-handout");
        $("handout-button").setAttribute("aria-pressed", String(isShown));
        if (isShown) { makeHandout(); $("handout").scrollIntoView(); }
    };

    // The keys of the terminal's explorer, as far as a page has what they do.
    const keys = {
        s: (n) => go(here + n), ArrowRight: (n) => go(here + n), " ": (n) => go(here + n),
        S: (n) => go(here - n), ArrowLeft: (n) => go(here - n), Backspace: (n) => go(here - n),
        f: () => go(faultEnd()), F: () => go(faultStart()),
        "]": () => go(nextFault() ?? here), "[": () => go(previousFault() ?? here),
        c: () => go(nextBroken()), C: () => go(previousBroken()),
        g: (n, given) => go(given ? byLabel.get(String(n)) ?? here : 0), G: () => go(last), Home: () => go(0), End: () => go(last),
        d: showOnlyChanges, w: () => $("why-box").focus(), p: showHandout, P: predict, "?": showHelp, F1: showHelp,
    };
    document.addEventListener("keydown", (event) => {
        if (event.ctrlKey || event.altKey || event.metaKey) return;
        const target = event.target;
        if (target.closest("input:not([type=range]), select, textarea, dialog")) return;
        // What is focused keeps the keys that it has itself.
        if (target.matches("input[type=range]") && /^(Arrow|Home|End|Page)/.test(event.key)) return;
        if (event.key === " " && target.closest("button, a, summary, input")) return;
        if (target.closest(".scroll") && /^Arrow/.test(event.key) && target.closest(".scroll").scrollWidth > target.closest(".scroll").clientWidth) return;
        if (/^[0-9]$/.test(event.key) && (count || event.key !== "0")) {
            count = (count + event.key).slice(0, 9);
            return;
        }
        const key = keys[event.key];
        if (key) {
            event.preventDefault();
            key(Number(count || 1), count !== "");
        }
        if (event.key !== "Shift") count = "";
    });

    const buttons = {
        start: () => go(0), end: () => go(last), back: () => go(here - 1), on: () => go(here + 1),
        "fault-back": () => go(previousFault() ?? here), "fault-on": () => go(nextFault() ?? here),
        changes: showOnlyChanges, predict, "help-button": showHelp, "help-close": showHelp, "handout-button": showHandout,
        "print-button": () => window.print(),
    };
    for (const [id, action] of Object.entries(buttons)) $(id).addEventListener("click", action);
    $("slider").addEventListener("input", (event) => go(Number(event.target.value)));

    // A swipe to the left goes on, to the right back; what scrolls sideways scrolls.
    let touch;
    document.addEventListener("touchstart", (event) => {
        const inside = event.target.closest(".scroll, input, dialog");
        touch = event.touches.length === 1 && !(inside && (inside.matches("input, dialog") || inside.scrollWidth > inside.clientWidth)) ? event.touches[0] : undefined;
    }, { passive: true });
    document.addEventListener("touchend", (event) => {
        if (!touch || !event.changedTouches.length) return;
        const end = event.changedTouches[0], x = end.clientX - touch.clientX, y = end.clientY - touch.clientY;
        touch = undefined;
        if (Math.abs(x) > 48 && Math.abs(x) > 2 * Math.abs(y)) go(here + (x < 0 ? 1 : -1));
    }, { passive: true });
    window.addEventListener("hashchange", followAddress);

    const themes = ["auto", "light", "dark"];
    $("theme").addEventListener("click", () => {
        const next = themes[(themes.indexOf(document.documentElement.dataset.theme ?? "auto") + 1) % themes.length];
        document.documentElement.dataset.theme = next;
        $("theme").textContent = `Colours: ${next}`;
    });

    // ---- Marks at the slider, and lists that lead to faults and broken checks ----

    const share = (index) => `${last ? (100 * index) / last : 0}%`;
    const marksOf = $("marks");
    const lead = (list, index, words) => {
        const link = make("a", { href: `#${places[index].label}` }, words);
        link.addEventListener("click", (event) => { event.preventDefault(); go(index); });
        list.append(make("li", {}, link));
    };
    for (const fault of faults.slice(0, 400)) {
        marksOf.append(make("span", { class: "fault-mark", style: `left:${share(fault.first)}`, title: `fault ${fault.number}` }));
        lead($("faults"), fault.first, `Fault ${fault.number}, step ${places[fault.first].label}: ${text(fault.actor)}, ${text(fault.kind)}, IPA ${text(fault.ipa)}`);
    }
    for (const one of broken) {
        marksOf.append(make("span", { class: "broken-mark", style: `left:${share(one.place)}`, title: `broken: ${one.rule}` }));
        lead($("breaks"), one.place, `Step ${places[one.place].label}: ${one.rule}`);
    }
    $("faults-box").hidden = !faults.length;
    $("breaks-box").hidden = !broken.length;

    // ---- The handout: every note with the state that it speaks about ----

    let handoutMade = false;
    const makeHandout = () => {
        if (handoutMade) return;
        handoutMade = true;
        const out = $("handout");
        const spans = new Map();
        for (const place of places) {
            if (place.operation < 0) continue;
            const span = spans.get(place.operation) ?? { first: place.index, last: place.index };
            span.last = Math.max(span.last, place.index);
            spans.set(place.operation, span);
        }
        const said = new Set();
        for (const [number, { first, last: end }] of [...spans].sort((a, b) => a[0] - b[0])) {
            const operation = operations[number];
            if (!operation.note || said.has(operation.note)) continue;
            said.add(operation.note);
            const name = (operation.actor ? `${operation.actor}: ` : "") + operation.text;
            const article = make("article", {}, make("h3", {}, `Step${first === end ? ` ${places[first].label}` : `s ${places[first].label} to ${places[end].label}`}: `, make("code", {}, name)), note(operation));
            for (const fault of faults.filter((one) => one.taken >= first && one.taken <= end)) {
                article.append(make("p", {}, `Fault ${fault.number} of ${text(fault.actor)}: ${text(fault.kind)}, level ${fault.level}, IPA ${text(fault.ipa)}, HSR ${text(fault.hsr)}.`));
            }
            for (const one of broken.filter((b) => b.place >= first && b.place <= end)) {
                article.append(make("p", { class: "wrong" }, make("strong", {}, `✗ BROKEN ${one.rule} at step ${places[one.place].label}: `), one.story));
            }
            const state = make("div", { class: "state" });
            drawState(state, end, Math.max(0, first - 1), `h${number}-`, (section) => section.classList.contains("touched"));
            if (state.childElementCount) article.append(make("p", { class: "dim" }, `What it changed, as it stands after step ${places[end].label}:`), state);
            out.append(article);
        }
    };
    window.addEventListener("beforeprint", makeHandout);

    // For tests, and for whoever wants to look into the page.
    window.kvmtuiPage = {
        data, places, faults, broken, operations, stateAt, go, questions, answered, here: () => here, text,
        /** A state with its texts: sections by their names, of tables the rows. */
        told: (index) => Object.fromEntries(stateAt(index).map(([id, title, blocks]) => [text(id), {
            title: text(title),
            lists: Object.fromEntries(blocks.filter((b) => b[0] === 1).flatMap((b) => b[2].map((row) => data.rows[row]).map(([term, cell]) => [text(term), cellOf(cell).text]))),
            tables: Object.fromEntries(blocks.filter((b) => b[0] === 2).map((b) => [text(b[1]), b[4].map((row) => data.rows[row].map((cell) => cellOf(cell).text))])),
        }])),
    };

    $("slider").max = last;
    const index = byLabel.get(decodeURIComponent(location.hash.slice(1)));
    here = index ?? 0;
    draw(false);
    document.body.classList.add("ready");
    // Where the place stands in its box is known when the page has its size.
    window.addEventListener("load", drawPath);
    window.addEventListener("resize", drawPath);
})();
