// Keys. Digits, E, N, P and what is typed into a field belong to the page.
const OPACITY_STEP = 0.1;

function handleKey(state, event) {
  if (!state.packed || event.ctrlKey || event.metaKey || event.altKey) return;
  const path = event.composedPath();
  const target = path[0];
  const inside = path.includes(state.root) || path.includes(state.parts.panels.getRootNode());
  if (target.isContentEditable || /^(SELECT|TEXTAREA)$/.test(target.tagName)) return;
  if (target.tagName === 'INPUT' && !(target.type === 'range' && inside)) return; // someone types there
  if (!runKey(state, event, target) && !(inside && runInsideKey(state, event, target))) return;
  event.preventDefault();
}

function runKey(state, event) { // wherever the focus is
  const { parts } = state;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (key === 'o') { if (!parts.overlay.disabled) toggleOverlay(state); }
  else if (key === 'a') { if (!parts.against.hidden) toggleAgainst(state); }
  else if (key === 's') toggleCrop(state);
  else if (key === 'x') toggleCrosshair(state);
  else if (key === 'm' && parts.mark) toggleMarking(state);
  else if (key === 'v') state.panels[0]?.canvas.focus();
  else if (key === 'w') resetWindows(state);
  else if (key === '?') showKeys(state, parts.keys.hidden);
  else if (key === 'Escape' && !parts.keys.hidden) showKeys(state, false);
  else if (key === 'Escape' && state.marking) toggleMarking(state);
  else if (key === '+' || key === '=') changeOpacity(state, OPACITY_STEP);
  else if (key === '-') changeOpacity(state, -OPACITY_STEP);
  else if (key === 'z') zoomBy(state, event.shiftKey ? 1 / 1.25 : 1.25);
  else return false;
  return true;
}

function runInsideKey(state, event, target) { // only where the viewer has the focus
  const { key } = event;
  if (runRegionKey(state, key, target)) return true;
  if (key === '0') { reset(state); return true; }
  const last = state.packed.head.shape[0] - 1;
  const page = { Home: 0, End: last, PageUp: state.slice + 5, PageDown: state.slice - 5 }[key];
  if (page !== undefined && target.tagName !== 'INPUT') { goTo(state, page); return true; }
  const arrow = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] }[key];
  if (!arrow || target.tagName === 'INPUT') return false; // arrow keys stay with a slider
  const panel = state.panels.find((one) => one.canvas === target);
  if (event.shiftKey && panel) changeWindow(state, panel, 0.05 * arrow[0], 0.05 * arrow[1]);
  else goTo(state, state.slice + arrow[0] + arrow[1]);
  return true;
}
