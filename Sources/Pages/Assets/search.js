// Searching the index: sessions in which every word stands, in their names, titles, texts, notes or actions.
"use strict";
(() => {
    const items = [...document.querySelectorAll(".chapter li")].map((item) => ({ item, words: `${item.textContent} ${item.dataset.words}`.toLowerCase() }));
    const chapters = [...document.querySelectorAll(".chapter")];
    const search = document.getElementById("search"), found = document.getElementById("found");
    const look = () => {
        const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
        let count = 0;
        for (const { item, words: text } of items) {
            item.hidden = !words.every((word) => text.includes(word));
            if (!item.hidden) count += 1;
        }
        for (const chapter of chapters) chapter.hidden = !chapter.querySelector("li:not([hidden])");
        found.textContent = words.length ? `${count} of ${items.length} sessions` : "";
    };
    search.addEventListener("input", look);
    document.addEventListener("keydown", (event) => {
        if (event.key === "/" && event.target !== search) { event.preventDefault(); search.focus(); }
    });
    look();
})();
