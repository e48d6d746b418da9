// Keys for the finding. It presses what is on the page, so that Streamlit sees the same as after a click.
const VERDICTS = '.st-key-finding-verdict [role=radio]';
const NOTE = '.st-key-finding-note textarea';
const SAVE = '.st-key-finding-save button';
const NAME = '.st-key-reviewer input';
const IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]';
const DRAWING_MS = 300;
const LONGEST_MS = 5000;
const TYPED = /^(INPUT|SELECT|TEXTAREA)$/;

function isTyping(target) {
  return target.isContentEditable || (TYPED.test(target.tagName) && target.type !== 'range');
}

function isPressed(button) {
  return button.getAttribute('aria-checked') === 'true';
}

function pressWhenDrawn(deadline) {
  const drawn = document.querySelector(IDLE) || Date.now() > deadline;
  if (drawn) document.querySelector(SAVE)?.click();
  else setTimeout(pressWhenDrawn, DRAWING_MS, deadline);
}

function save() {
  const name = document.querySelector(NAME);
  if (name && !name.value.trim()) {
    name.focus(); // a finding needs its author
    return;
  }
  const waits = document.activeElement === name;
  if (waits) name.blur(); // hands the name over: the page is drawn anew, and a click meanwhile would be lost
  setTimeout(pressWhenDrawn, waits ? DRAWING_MS : 0, Date.now() + LONGEST_MS);
}

function handle(event) {
  const target = event.composedPath()[0];
  if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') {
    if (isTyping(target) && !target.matches(`${NOTE}, ${NAME}`)) return;
    save();
  } else if (event.ctrlKey || event.metaKey || event.altKey) return;
  else if (event.key === 'Escape' && target.matches?.(NOTE)) target.blur();
  else if (isTyping(target)) return;
  else if (/^[1-6]$/.test(event.key)) {
    const button = document.querySelectorAll(VERDICTS)[Number(event.key) - 1];
    if (!button) return;
    if (!isPressed(button)) button.click(); // a second press would take the verdict back
  } else if (event.key.toLowerCase() === 'e') {
    const note = document.querySelector(NOTE);
    if (!note) return;
    note.focus();
    note.scrollIntoView({ block: 'nearest' });
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

export default function listen() {
  document.addEventListener('keydown', handle, true);
  return () => document.removeEventListener('keydown', handle, true);
}
