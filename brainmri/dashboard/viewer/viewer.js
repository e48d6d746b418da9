// The viewer of a case. Python sends a packed case once (see packing.py); everything else happens here.
const states = new WeakMap(); // a rerun calls the default export again with the same parentElement
const LARGEST_ZOOM = 12;
const BARS_MM = [100, 50, 20, 10, 5, 2, 1];
const BAR_SHARE = 4; // a scale bar takes at most the fourth part of a panel's width
const SQUARE_COLOUR = '#FFD54F';

export default function show({ data, parentElement, setTriggerValue }) {
  let state = states.get(parentElement);
  if (!state) {
    state = createState(parentElement);
    states.set(parentElement, state);
    wireControls(state);
    wireRegion(state);
    wireMark(state);
  }
  state.send = setTriggerValue;
  if (data && data !== state.data) {
    state.data = data;
    startCase(state, unpack(data));
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
    crop: false, opacity: 0.6, scaleBy: 'run', chosen: 0, against: false, colours: null, frame: 0, mapKey: null, crosshair: false, pointer: null, drawing: false, corner: null, region: null, confirmed: false, marking: false, point: null, send: null, onKey: null, observer: null, map: document.createElement('canvas') };
}

function startCase(state, packed) { // it is shown as soon as its first slice is there; until then the one before stays
  const { data, packed: before } = state;
  if (before?.head.voxels === packed.head.voxels && before.complete) { // the same voxels, with another map
    const { volumes, high, low } = before;
    Object.assign(packed, { volumes, high, low, kept: true });
    openCase(state, packed);
  }
  const isWanted = () => state.data === data;
  receive(packed, isWanted, () => {
    if (state.packed === packed) { requestDraw(state); return; }
    openCase(state, packed);
    draw(state); // at once: the next frame may wait until the rest of the page has been laid out
  }).catch((error) => {
    if (isWanted()) state.parts.note.textContent = `The images could not be unpacked (${error.name}). Load the page again, in a browser of 2023 or later.`;
  });
}

function openCase(state, packed) {
  const { head } = packed;
  const fresh = head.id !== state.id;
  const revealed = !fresh && !state.packed.head.classes.length && head.classes.length; // what the network said of it
  state.packed = packed;
  state.mapKey = null;
  state.root.querySelector('.viewer').inert = false; // from here on there is something to control
  if (fresh || state.panels.length !== head.names.length) {
    state.id = head.id;
    state.slice = head.start;
    state.zoom = 1;
    state.panX = state.panY = 0;
    state.pointer = state.region = state.corner = null;
    state.drawing = state.confirmed = state.marking = false;
    openMark(state, packed.mark);
    buildPanels(state);
  }
  state.panels.forEach((panel) => { panel.drawn = panel.sampled = null; });
  if (fresh || revealed || state.chosen >= head.classes.length) state.chosen = head.chosen;
  if (revealed && !head.squares.some((square) => square.slice === state.slice)) state.slice = head.start;
  if (packed.closed) state.marking = false;
  if (!head.signed) state.against = false;
  const { slice, classes, marks } = state.parts;
  slice.max = head.shape[0];
  slice.disabled = head.shape[0] < 2;
  classes.replaceChildren(...head.classes.map((name, index) =>
    optionOf(index, index === head.chosen ? `${name} (predicted)` : name)));
  if (!head.colours.includes(state.colours)) [state.colours] = head.colours;
  state.parts['colour-map'].replaceChildren(...head.colours.map((name) => optionOf(name, name)));
  state.parts['colour-map'].value = state.colours;
  state.parts['scale-by'].options[0].textContent = head.scaleOf;
  marks.replaceChildren(...head.squares.map((square) => {
    const mark = document.createElement('i');
    mark.style.left = `${(100 * square.slice) / Math.max(1, head.shape[0] - 1)}%`;
    return mark;
  }));
  const without = head.classes.length === 0;
  for (const name of ['overlay', 'classes-label', 'opacity']) state.parts[name].disabled = without;
  for (const name of ['overlay', 'classes-label']) state.parts[name].hidden = without;
  state.parts.crop.disabled = head.squares.length === 0;
  state.parts['crop-label'].textContent = head.samplePx ? 'As the network saw it' : 'Region only';
  if (head.squares.length === 0) state.crop = false;
  drawColours(state);
}

function optionOf(value, text) {
  const option = document.createElement('option');
  option.value = value;
  option.textContent = text;
  return option;
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
      window: [...head.windows[index]], at: null, table: new Uint8Array(65536), tableKey: null, drawn: null, sampled: null };
    wirePanel(state, panel);
    return panel;
  });
  state.parts.panels.replaceChildren(...state.panels.map((panel) => panel.canvas.parentElement));
}
