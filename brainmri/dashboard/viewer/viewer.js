// The viewer of a case. Python sends a packed case once (see __init__.py); everything else happens here.
const states = new WeakMap(); // a rerun calls the default export again with the same parentElement
const LARGEST_ZOOM = 12;
const BARS_MM = [50, 20, 10, 5, 2, 1];
const FAINT = 0.25; // share of the scale below which a map is said to be faint
const SQUARE_COLOUR = '#FFD54F';

export default function show({ data, parentElement }) {
  let state = states.get(parentElement);
  if (!state) {
    state = createState(parentElement);
    states.set(parentElement, state);
    wireControls(state);
  }
  if (data && data !== state.data) {
    state.data = data;
    openCase(state, unpack(data));
  }
  attach(state);
  requestDraw(state);
  return () => detach(state);
}

function attach(state) { // once, however often a rerun comes
  detach(state);
  state.onKey = (event) => handleKey(state, event);
  document.addEventListener('keydown', state.onKey);
  state.observer = new ResizeObserver(() => requestDraw(state));
  state.observer.observe(state.parts.panels);
}

function detach(state) {
  document.removeEventListener('keydown', state.onKey);
  state.observer?.disconnect();
  cancelAnimationFrame(state.frame);
  state.frame = 0;
}

function createState(root) {
  const parts = {};
  for (const element of root.querySelectorAll('[data-part]')) parts[element.dataset.part] = element;
  return { root, parts, id: null, packed: null, panels: [], slice: 0, zoom: 1, panX: 0, panY: 0, overlay: true,
    crop: false, opacity: 0.6, scaleBy: 'run', chosen: 0, frame: 0, mapKey: null, onKey: null, observer: null, map: document.createElement('canvas') };
}

// ---------------------------------------------------------------- data

function unpack(data) {
  const bytes = data instanceof Uint8Array ? data : new Uint8Array(data);
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  const [slices, rows, columns] = head.shape;
  const count = slices * rows * columns;
  let place = 4 + length;
  const volumes = head.names.map(() => {
    const part = bytes.subarray(place, place + 2 * count);
    place += 2 * count;
    const aligned = part.byteOffset % 2 === 0 ? part : part.slice();
    return new Uint16Array(aligned.buffer, aligned.byteOffset, count);
  });
  const mapBytes = head.classes.length * head.squares.length * head.mapSide ** 2;
  const maps = bytes.subarray(place, place + mapBytes);
  place += mapBytes;
  const sampleBytes = head.squares.length * head.names.length * head.samplePx ** 2;
  const samples = bytes.subarray(place, place + sampleBytes);
  const colours = bytes.subarray(place + sampleBytes, place + sampleBytes + 768);
  return { head, volumes, maps, samples, colours };
}

function openCase(state, packed) {
  const { head } = packed;
  const fresh = head.id !== state.id;
  state.packed = packed;
  state.mapKey = null;
  if (fresh || state.panels.length !== head.names.length) {
    state.id = head.id;
    state.slice = head.start;
    state.zoom = 1;
    state.panX = state.panY = 0;
    buildPanels(state);
  }
  state.panels.forEach((panel) => { panel.drawn = panel.sampled = null; });
  if (fresh || state.chosen >= head.classes.length) state.chosen = head.chosen;
  const { slice, classes, marks } = state.parts;
  slice.max = head.shape[0];
  slice.disabled = head.shape[0] < 2;
  classes.replaceChildren(...head.classes.map((name, index) => {
    const option = document.createElement('option');
    option.value = index;
    option.textContent = index === head.chosen ? `${name} (predicted)` : name;
    return option;
  }));
  marks.replaceChildren(...head.squares.map((square) => {
    const mark = document.createElement('i');
    mark.style.left = `${(100 * square.slice) / Math.max(1, head.shape[0] - 1)}%`;
    return mark;
  }));
  const without = head.classes.length === 0;
  for (const name of ['overlay', 'classes-label', 'opacity']) state.parts[name].disabled = without;
  for (const name of ['overlay', 'classes-label', 'opacity-label']) state.parts[name].hidden = without;
  state.parts.crop.disabled = head.squares.length === 0;
  state.parts['crop-label'].textContent = head.samplePx ? 'As the network saw it' : 'Region only';
  if (head.squares.length === 0) state.crop = false;
  drawColours(state);
}

function buildPanels(state) {
  const { head } = state.packed;
  const [, rows, columns] = head.shape;
  state.panels = head.names.map((name, index) => {
    const figure = document.createElement('figure');
    const canvas = document.createElement('canvas');
    canvas.tabIndex = 0;
    canvas.dataset.name = name;
    canvas.setAttribute('role', 'img');
    figure.append(canvas);
    const grey = document.createElement('canvas');
    grey.width = columns;
    grey.height = rows;
    const context = grey.getContext('2d');
    const sample = document.createElement('canvas');
    sample.width = sample.height = Math.max(1, head.samplePx);
    const panel = { name, canvas, grey, context, image: context.createImageData(columns, rows), index, sample,
      window: [...head.windows[index]], table: new Uint8Array(65536), tableKey: null, drawn: null, sampled: null };
    wirePanel(state, panel);
    return panel;
  });
  state.parts.panels.replaceChildren(...state.panels.map((panel) => panel.canvas.parentElement));
}

// ---------------------------------------------------------------- controls

function wireControls(state) {
  const { parts } = state;
  parts.overlay.onclick = () => toggleOverlay(state);
  parts.crop.onclick = () => toggleCrop(state);
  parts.opacity.oninput = () => { state.opacity = parts.opacity.value / 100; requestDraw(state); };
  parts.slice.oninput = () => goTo(state, parts.slice.value - 1);
  parts.classes.onchange = () => { state.chosen = Number(parts.classes.value); requestDraw(state); };
  parts['scale-by'].onchange = () => { state.scaleBy = parts['scale-by'].value; requestDraw(state); };
  parts.in.onclick = () => zoomBy(state, 1.25);
  parts.out.onclick = () => zoomBy(state, 1 / 1.25);
  parts.reset.onclick = () => reset(state);
}

function toggleOverlay(state) {
  state.overlay = !state.overlay;
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
  for (const panel of state.panels) panel.window = [...state.packed.head.windows[panel.index]];
  requestDraw(state);
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
    last = { x: event.clientX, y: event.clientY, pan: event.shiftKey || event.button === 1 };
    event.preventDefault();
  };
  canvas.onpointermove = (event) => {
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
  canvas.onpointerup = canvas.onpointercancel = () => { last = null; };
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

function handleKey(state, event) {
  if (!state.packed || event.ctrlKey || event.metaKey || event.altKey) return;
  const path = event.composedPath();
  const target = path[0];
  const inside = path.includes(state.root) || path.includes(state.parts.panels.getRootNode());
  if (target.isContentEditable || /^(SELECT|TEXTAREA)$/.test(target.tagName)) return;
  if (target.tagName === 'INPUT' && !(target.type === 'range' && inside)) return; // someone types there
  if (!runKey(state, event, target, inside)) return;
  event.preventDefault();
}

function runKey(state, event, target, inside) {
  const key = event.key;
  if (key === 'o' || key === 'O') { if (!state.parts.overlay.disabled) toggleOverlay(state); return true; }
  if (key === 's' || key === 'S') { toggleCrop(state); return true; }
  if (key === '+' || key === '=') { zoomBy(state, 1.25); return true; }
  if (key === '-') { zoomBy(state, 1 / 1.25); return true; }
  if (!inside) return false;
  if (key === '0') { reset(state); return true; }
  const arrow = { ArrowUp: [0, 1], ArrowDown: [0, -1], ArrowRight: [1, 0], ArrowLeft: [-1, 0] }[key];
  if (!arrow || target.tagName === 'INPUT') return false; // arrow keys stay with a slider
  const panel = state.panels.find((one) => one.canvas === target);
  if (event.shiftKey && panel) changeWindow(state, panel, 0.05 * arrow[0], 0.05 * arrow[1]);
  else goTo(state, state.slice + arrow[0] + arrow[1]);
  return true;
}

// ---------------------------------------------------------------- drawing

function requestDraw(state) {
  if (state.packed && !state.frame) {
    state.frame = requestAnimationFrame(() => {
      state.frame = 0;
      draw(state);
    });
  }
}

function squareOf(state) {
  return state.packed.head.squares.find((square) => square.slice === state.slice);
}

function draw(state) {
  const square = squareOf(state);
  const hasMap = prepareMap(state, square);
  for (const panel of state.panels) drawPanel(state, panel, square, hasMap);
  sayState(state, square);
}

function scaleEnd(state) { // the value at which the colours of the chosen class end
  const { head } = state.packed;
  return state.scaleBy === 'run' && head.scales[state.chosen] > 0 ? head.scales[state.chosen] : head.maxima[state.chosen];
}

function peakOf(state, square) {
  const { head } = state.packed;
  return square && head.classes.length ? head.peaks[state.chosen][head.squares.indexOf(square)] : 0;
}

function prepareMap(state, square) {
  const { head, maps, colours } = state.packed;
  if (!(peakOf(state, square) > 0)) return false;
  const place = state.chosen * head.squares.length + head.squares.indexOf(square);
  const factor = head.maxima[state.chosen] / scaleEnd(state); // as sent, maps end at the largest value in the case
  if (state.mapKey === `${place}|${factor}`) return true;
  const side = head.mapSide;
  state.map.width = state.map.height = side;
  const context = state.map.getContext('2d');
  const image = context.createImageData(side, side);
  for (let i = 0, j = place * side * side; i < side * side; i += 1, j += 1) {
    const share = Math.min(255, Math.round(maps[j] * factor));
    image.data.set(colours.subarray(3 * share, 3 * share + 3), 4 * i);
    image.data[4 * i + 3] = share; // no evidence: the image stays as it is
  }
  context.putImageData(image, 0, 0);
  state.mapKey = `${place}|${factor}`;
  return true;
}

function prepareGrey(state, panel) {
  const { head, volumes } = state.packed;
  const tableKey = panel.window.join();
  if (panel.drawn === `${state.slice}|${tableKey}`) return;
  if (panel.tableKey !== `${state.id}|${tableKey}`) {
    const slope = head.slopes[panel.index];
    const offset = head.offsets[panel.index];
    const [low, high] = panel.window;
    const scale = 255 / Math.max(1e-9, high - low);
    for (let i = 0; i < 65536; i += 1) {
      const value = (i * slope + offset - low) * scale;
      panel.table[i] = value < 0 ? 0 : value > 255 ? 255 : value;
    }
    panel.tableKey = `${state.id}|${tableKey}`;
  }
  const count = head.shape[1] * head.shape[2];
  const values = volumes[panel.index].subarray(state.slice * count, (state.slice + 1) * count);
  const pixels = panel.image.data;
  for (let i = 0, j = 0; i < count; i += 1, j += 4) {
    pixels[j] = pixels[j + 1] = pixels[j + 2] = panel.table[values[i]];
    pixels[j + 3] = 255;
  }
  panel.context.putImageData(panel.image, 0, 0);
  panel.drawn = `${state.slice}|${tableKey}`;
}

function prepareSample(state, panel, square) { // in the window at the start, exactly what the network was given
  const { head, samples } = state.packed;
  const place = head.squares.indexOf(square) * head.names.length + panel.index;
  const key = `${place}|${panel.window.join()}`;
  if (panel.sampled === key) return;
  const [first, last] = head.windows[panel.index];
  const [low, high] = panel.window;
  const scale = 255 / Math.max(1e-9, high - low);
  const side = head.samplePx;
  const context = panel.sample.getContext('2d');
  const image = context.createImageData(side, side);
  for (let i = 0, j = place * side * side; i < side * side; i += 1, j += 1) {
    const grey = Math.round((first + (samples[j] / 255) * (last - first) - low) * scale);
    image.data.fill(Math.min(255, Math.max(0, grey)), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
  panel.sampled = key;
}

function drawPanel(state, panel, square, hasMap) {
  const { head } = state.packed;
  const [, rows, columns] = head.shape;
  const [, rowMm, columnMm] = head.spacing;
  const { canvas } = panel;
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(1, Math.round(canvas.parentElement.clientWidth * ratio));
  const shape = Math.min(1.2, Math.max(0.7, (rows * rowMm) / (columns * columnMm)));
  const height = Math.round(width * shape);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d');
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  const shown = state.crop && square
    ? { row: square.row, column: square.column, rows: square.size, columns: square.size }
    : { row: 0, column: 0, rows, columns };
  const pxPerMm = Math.min(width / (shown.columns * columnMm), height / (shown.rows * rowMm)) * state.zoom;
  if (state.crop && !square) {
    write(context, ratio, 'The network did not see this slice', width / 2, height / 2, 'center', 'middle');
  } else {
    const kx = pxPerMm * columnMm;
    const ky = pxPerMm * rowMm;
    const x = width / 2 + state.panX * width - (shown.column + shown.columns / 2) * kx;
    const y = height / 2 + state.panY * width - (shown.row + shown.rows / 2) * ky;
    context.save();
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = 'high';
    if (state.crop) {
      context.beginPath();
      context.rect(x + shown.column * kx, y + shown.row * ky, shown.columns * kx, shown.rows * ky);
      context.clip();
    }
    if (state.crop && head.samplePx) {
      prepareSample(state, panel, square);
      context.imageSmoothingEnabled = false; // its own pixels
      context.drawImage(panel.sample, x + square.column * kx, y + square.row * ky, square.size * kx, square.size * ky);
      context.imageSmoothingEnabled = true;
    } else {
      prepareGrey(state, panel);
      context.drawImage(panel.grey, x, y, columns * kx, rows * ky);
    }
    if (square) drawSquare(state, context, ratio, square, { x, y, kx, ky }, hasMap);
    context.restore();
  }
  drawMarks(panel, context, ratio, width, height, pxPerMm);
  const [low, high] = panel.window;
  canvas.setAttribute('aria-label', `${panel.name}, slice ${state.slice + 1} of ${head.shape[0]}, window ` +
    `${Math.round(high - low)}, level ${Math.round((high + low) / 2)}${hasMap && state.overlay ? ', with map' : ''}`);
}

function drawSquare(state, context, ratio, square, at, hasMap) {
  const box = [at.x + square.column * at.kx, at.y + square.row * at.ky, square.size * at.kx, square.size * at.ky];
  if (hasMap && state.overlay) {
    context.globalAlpha = state.opacity;
    context.drawImage(state.map, ...box);
    context.globalAlpha = 1;
  }
  if (state.crop) return;
  context.lineWidth = 1.25 * ratio;
  context.strokeStyle = SQUARE_COLOUR;
  context.strokeRect(...box);
}

function drawMarks(panel, context, ratio, width, height, pxPerMm) {
  const edge = 8 * ratio;
  write(context, ratio, panel.name, edge, edge, 'left', 'top', 600);
  write(context, ratio, 'R', edge, height / 2, 'left', 'middle');
  write(context, ratio, 'L', width - edge, height / 2, 'right', 'middle');
  write(context, ratio, 'A', width / 2, edge, 'center', 'top');
  if (width > 240 * ratio) write(context, ratio, 'P', width / 2, height - edge, 'center', 'bottom'); // else no room
  const [low, high] = panel.window;
  const window_ = `W ${Math.round(high - low)}  L ${Math.round((high + low) / 2)}`;
  write(context, ratio, window_, width - edge, height - edge, 'right', 'bottom');
  const mm = BARS_MM.find((one) => one * pxPerMm <= width / 4);
  if (!mm) return;
  const length = mm * pxPerMm;
  const y = height - edge - 1 * ratio;
  context.fillStyle = '#000';
  context.fillRect(edge - ratio, y - 2 * ratio, length + 2 * ratio, 4 * ratio);
  context.fillStyle = '#E8EEF3';
  context.fillRect(edge, y - ratio, length, 2 * ratio);
  write(context, ratio, `${mm} mm`, edge, y - 4 * ratio, 'left', 'bottom');
}

function write(context, ratio, text, x, y, align, baseline, weight = 400) {
  context.font = `${weight} ${12 * ratio}px sans-serif`;
  context.textAlign = align;
  context.textBaseline = baseline;
  context.lineWidth = 3 * ratio;
  context.lineJoin = 'round';
  context.strokeStyle = 'rgba(0, 0, 0, 0.75)';
  context.strokeText(text, x, y);
  context.fillStyle = '#E8EEF3';
  context.fillText(text, x, y);
}

function drawColours(state) {
  const context = state.parts.colours.getContext('2d');
  const image = context.createImageData(256, 1);
  for (let i = 0; i < 256; i += 1) {
    image.data.set(state.packed.colours.subarray(3 * i, 3 * i + 3), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function sayState(state, square) {
  const { head } = state.packed;
  const { parts } = state;
  const hasMaps = head.classes.length > 0;
  const none = hasMaps && !(head.maxima[state.chosen] > 0);
  const peak = peakOf(state, square);
  parts.slice.value = state.slice + 1;
  parts.classes.value = String(state.chosen);
  parts.number.textContent = `${state.slice + 1} of ${head.shape[0]}`;
  parts.said.textContent = square ? square.said : 'outside the tumour: not seen by the network';
  parts.zoom.textContent = `${Math.round(100 * state.zoom)} %`;
  parts.overlay.setAttribute('aria-pressed', String(state.overlay && hasMaps));
  parts.crop.setAttribute('aria-pressed', String(state.crop));
  parts.scale.hidden = !hasMaps || none || !state.overlay;
  const share = peak > 0 ? Math.round((100 * peak) / scaleEnd(state)) : 0;
  parts.note.textContent = square || none ? describeEvidence(state, { none, peak, share }) : '';
  parts.peak.hidden = !(peak > 0);
  parts.peak.style.left = `${Math.min(100, share)}%`;
  parts.ramp.setAttribute('aria-label', 'Colours of the map, from no evidence on; ' +
    (peak > 0 ? `this slice reaches ${share} % of the scale` : 'this slice has none'));
  parts.ramp.title = peak > 0 ? `This slice reaches ${share} % of the scale` : '';
}

function describeEvidence(state, { none, peak, share }) { // what colours alone would not say
  const { head } = state.packed;
  if (!head.classes.length) return '';
  if (!(peak > 0)) return `No positive evidence for ${head.classes[state.chosen]} ${none ? 'in this case' : 'on this slice'}`;
  if (state.overlay && share < 100 * FAINT) return `Faint: ${share < 1 ? 'less than 1' : share} % of the scale`;
  return '';
}
