// Keys of a reader: a digit chooses the diagnosis, Enter goes on. It presses what is on the page.
const CHOICES = '[class*="st-key-teaching-diagnosis-"] button';
const ACTION = '[class*="st-key-teaching-action"] button';
const TYPED = /^(INPUT|SELECT|TEXTAREA)$/;

function isTyping(target) {
  return target.isContentEditable || (TYPED.test(target.tagName) && target.type !== 'range');
}

function isPressed(button) {
  return button.getAttribute('aria-checked') === 'true' || button.getAttribute('aria-pressed') === 'true'
    || button.getAttribute('data-testid')?.endsWith('Active');
}

function act(target) {
  const button = document.querySelector(ACTION);
  if (!button) return false;
  if (isTyping(target)) target.blur(); // so that the line of reasoning is kept first
  setTimeout(() => button.click(), isTyping(target) ? 150 : 0);
  return true;
}

function handle(event) {
  if (event.repeat || event.altKey || event.isComposing) return;
  const target = event.composedPath()[0];
  const held = event.ctrlKey || event.metaKey;
  if (event.key === 'Enter') {
    const other = target.closest?.('button, a, [role=tab], [role=combobox]');
    const own = other?.matches(CHOICES) || other?.matches(ACTION) || (other && isPressed(other)); // nothing to press
    if ((isTyping(target) && !held) || (other && !own)) return; // Enter presses what has the focus
    if (!act(target)) return;
  } else if (!held && !isTyping(target) && /^[1-9]$/.test(event.key)) {
    const button = document.querySelectorAll(CHOICES)[Number(event.key) - 1];
    if (!button) return;
    if (!isPressed(button)) button.click();
  } else return;
  event.preventDefault();
  event.stopPropagation();
}

export default function listen() {
  document.addEventListener('keydown', handle, true);
  return () => document.removeEventListener('keydown', handle, true);
}
