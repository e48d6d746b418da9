// Buttons, sliders, pointer and wheel.

function wireControls(state) {
  const { parts } = state;
  parts.overlay.onclick = () => toggleOverlay(state);
  parts.against.onclick = () => toggleAgainst(state);
  parts.crop.onclick = () => toggleCrop(state);
  parts.opacity.oninput = () => { state.opacity = parts.opacity.value / 100; requestDraw(state); };
  parts.slice.oninput = () => goTo(state, parts.slice.value - 1);
  parts.classes.onchange = () => { state.chosen = Number(parts.classes.value); requestDraw(state); };
  parts['colour-map'].onchange = () => { state.colours = parts['colour-map'].value; drawColours(state); requestDraw(state); };
  parts['scale-by'].onchange = () => { state.scaleBy = parts['scale-by'].value; requestDraw(state); };
  parts.in.onclick = () => zoomBy(state, 1.25);
  parts.out.onclick = () => zoomBy(state, 1 / 1.25);
  parts.reset.onclick = () => reset(state);
  parts.crosshair.onclick = () => toggleCrosshair(state);
  parts.help.onclick = () => showKeys(state, parts.keys.hidden);
  parts['close-keys'].onclick = () => showKeys(state, false);
}

function toggleOverlay(state) {
  state.overlay = !state.overlay;
  requestDraw(state);
}

function toggleAgainst(state) {
  state.against = !state.against;
  drawColours(state);
  requestDraw(state);
}

function changeOpacity(state, by) {
  if (state.parts.opacity.disabled) return;
  state.opacity = Math.min(1, Math.max(0, state.opacity + by));
  state.parts.opacity.value = Math.round(100 * state.opacity);
  requestDraw(state);
}

function toggleCrop(state) {
  const { head } = state.packed;
  if (head.squares.length === 0) return;
  state.crop = !state.crop;
  state.zoom = 1;
  state.panX = state.panY = 0;
  if (state.crop && !squareOf(state)) { // go to the nearest slice that the network saw
    const near = head.squares.map((square) => square.slice).sort(
      (a, b) => Math.abs(a - state.slice) - Math.abs(b - state.slice));
    state.slice = near[0];
  }
  requestDraw(state);
}

function goTo(state, slice) {
  state.slice = Math.min(state.packed.head.shape[0] - 1, Math.max(0, slice));
  requestDraw(state);
}

function zoomBy(state, factor, atX = 0, atY = 0) { // atX, atY: from the panel's centre, as shares of its width
  const zoom = Math.min(LARGEST_ZOOM, Math.max(1, state.zoom * factor));
  const change = zoom / state.zoom;
  state.panX = atX - (atX - state.panX) * change;
  state.panY = atY - (atY - state.panY) * change;
  state.zoom = zoom;
  keepInside(state);
  requestDraw(state);
}

function keepInside(state) {
  const most = (state.zoom - 1) / 2;
  state.panX = Math.min(most, Math.max(-most, state.panX));
  state.panY = Math.min(most, Math.max(-most, state.panY));
}

function reset(state) {
  state.zoom = 1;
  state.panX = state.panY = 0;
  resetWindows(state);
}

function resetWindows(state) {
  for (const panel of state.panels) panel.window = [...state.packed.head.windows[panel.index]];
  requestDraw(state);
}

function resetWindow(state, panel) {
  panel.window = [...state.packed.head.windows[panel.index]];
  requestDraw(state);
}

function showKeys(state, shown) {
  state.parts.keys.hidden = !shown;
  state.parts.help.setAttribute('aria-expanded', String(shown));
  if (shown) state.parts['close-keys'].focus();
}

function changeWindow(state, panel, wider, brighter) { // as shares of the window at the start
  const [low, high] = state.packed.head.windows[panel.index];
  const unit = high - low;
  const width = Math.max(unit / 100, panel.window[1] - panel.window[0] + wider * unit);
  const level = (panel.window[0] + panel.window[1]) / 2 - brighter * unit;
  panel.window = [level - width / 2, level + width / 2];
  requestDraw(state);
}

function wirePanel(state, panel) {
  const { canvas } = panel;
  let last = null;
  canvas.onpointerdown = (event) => {
    if (event.button > 1) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    if (state.drawing && event.button === 0 && !event.shiftKey) { startRegion(state, panel, event); event.preventDefault(); return; }
    if (state.marking && event.button === 0 && !event.shiftKey) { placeMark(state, panel, event); event.preventDefault(); return; }
    last = { x: event.clientX, y: event.clientY, pan: event.shiftKey || event.button === 1 };
    event.preventDefault();
  };
  canvas.onpointermove = (event) => {
    movePointer(state, panel, event);
    if (state.corner) { dragRegion(state, panel, event); return; }
    if (!last) return;
    const width = canvas.clientWidth;
    const dx = (event.clientX - last.x) / width;
    const dy = (event.clientY - last.y) / width;
    last = { ...last, x: event.clientX, y: event.clientY };
    if (last.pan) {
      state.panX += dx;
      state.panY += dy;
      keepInside(state);
      requestDraw(state);
    } else changeWindow(state, panel, 1.5 * dx, -1.5 * dy);
  };
  canvas.onpointerup = canvas.onpointercancel = () => { last = state.corner = null; };
  canvas.ondblclick = () => resetWindow(state, panel);
  let turned = 0;
  canvas.addEventListener('wheel', (event) => {
    event.preventDefault();
    if (event.ctrlKey || event.metaKey) {
      const box = canvas.getBoundingClientRect();
      const x = (event.clientX - box.left - box.width / 2) / box.width;
      const y = (event.clientY - box.top - box.height / 2) / box.width;
      zoomBy(state, Math.exp(-event.deltaY / 300), x, y);
      return;
    }
    turned += event.deltaMode === 0 ? event.deltaY / 40 : event.deltaY; // a trackpad sends many small steps
    if (Math.abs(turned) < 1) return;
    goTo(state, state.slice + Math.sign(turned));
    turned = 0;
  }, { passive: false });
}
