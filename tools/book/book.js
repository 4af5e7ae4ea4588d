'use strict';
/* book.js - what a page of the book can do: dark or light, contents on a narrow screen, search. */
const remembered = key => { try { return localStorage.getItem(key); } catch { return null; } };
const dark = remembered('theme') || (matchMedia('(prefers-color-scheme:dark)').matches ? 'dark' : 'light');
document.documentElement.dataset.theme = dark;

addEventListener('DOMContentLoaded', () => {
    const $ = id => document.getElementById(id);
    const root = document.body.dataset.root;

    $('theme').onclick = () => {
        const theme = document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark';
        document.documentElement.dataset.theme = theme;
        try { localStorage.setItem('theme', theme); } catch { /* a browser that remembers nothing */ }
    };
    $('menu').onclick = () =>
        $('menu').setAttribute('aria-expanded', document.querySelector('.contents').classList.toggle('open'));
    const here = document.querySelector('[aria-current]');
    if (here) here.scrollIntoView({ block: 'center' });
    if (!location.hash) scrollTo(0, 0);

    const escaped = text => text.replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }[c]));

    /* Sections in which all words stand; those whose heading has them come first, and names before texts. */
    function search(words) {
        const found = [];
        for (const [page, title, sections] of PAGES)
            for (const [id, heading, text] of sections) {
                const all = (title + ' ' + heading + ' ' + text).toLowerCase();
                if (!words.every(word => all.includes(word))) continue;
                const head = heading.toLowerCase();
                const weight = words.filter(word => head.includes(word)).length * 2
                    + (words.length === 1 && (head === words[0] || head === 'async_' + words[0]) ? 5 : 0);
                found.push({ page, title, id, heading, text, weight });
            }
        return found.sort((a, b) => b.weight - a.weight).slice(0, 40);
    }
    function excerpt(text, words) {
        const at = Math.max(0, text.toLowerCase().indexOf(words[0]) - 60);
        const escape = word => escaped(word).replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
        return (at ? '… ' : '') + escaped(text.slice(at, at + 200))
            .replace(new RegExp(words.map(escape).join('|'), 'gi'), '<mark>$&</mark>');
    }
    function show() {
        const words = $('words').value.toLowerCase().split(/\s+/).filter(Boolean);
        const found = words.length ? search(words) : [];
        $('found').hidden = !words.length;
        $('found').innerHTML = `<h2>${found.length ? 'Found' : 'Nothing found'}</h2><ul>` + found.map(f =>
            `<li><a href="${root}${f.page}#${encodeURIComponent(f.id)}">${escaped(f.heading)}</a> <small>${escaped(f.title)}</small><br>${excerpt(f.text, words)}</li>`).join('') + '</ul>';
        if (words.length) scrollTo(0, 0);
    }

    /* What is searched is loaded when somebody begins to type. */
    let loaded = null;
    $('words').oninput = () => {
        if (!loaded) {
            loaded = document.createElement('script');
            loaded.src = root + 'search.js';
            loaded.onload = show;
            document.head.append(loaded);
        } else if (typeof PAGES !== 'undefined') show();
    };
    $('find').onsubmit = event => {
        event.preventDefault();
        const first = document.querySelector('#found a');
        if (first) location.href = first.href;
    };
    addEventListener('keydown', event => {
        if (event.key === '/' && document.activeElement !== $('words')) {
            event.preventDefault();
            $('words').focus();
        }
    });
});
