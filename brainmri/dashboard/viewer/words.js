// What is said around the panels.
const FAINT = 0.25; // share of the scale below which a map is said to be faint

function sayState(state, square) {
  const { head } = state.packed;
  const { parts } = state;
  const position = slicePosition(head, state.slice);
  parts.slice.value = state.slice + 1;
  parts.number.textContent = `${state.slice + 1} of ${head.shape[0]}${position ? ` · ${position}` : ''}`;
  sayRegion(state);
  sayMark(state);
  parts.panels.classList.toggle('drawing', state.drawing || state.marking);
  parts.crosshair.setAttribute('aria-pressed', String(state.crosshair));
  parts.reading.textContent = state.crosshair && state.pointer ? describePoint(state) : '';
  parts.said.textContent = square ? square.said : head.squares.length ? 'outside the tumour: not seen by the network' : '';
  parts.zoom.textContent = `${Math.round(100 * state.zoom)} %`;
  parts.crop.setAttribute('aria-pressed', String(state.crop));
  sayMap(state, square);
}

function sayMap(state, square) {
  const { head } = state.packed;
  const { parts } = state;
  const hasMaps = head.classes.length > 0;
  const none = hasMaps && !(head.maxima[state.chosen] > 0) && !(state.against && strongestAgainst(state) > 0);
  const peak = strengthOf(state, square, 'peaks');
  parts.classes.value = String(state.chosen);
  parts.overlay.setAttribute('aria-pressed', String(state.overlay && hasMaps));
  parts.against.hidden = !head.signed || !hasMaps;
  parts.against.setAttribute('aria-pressed', String(state.against));
  parts['opacity-label'].hidden = !hasMaps;
  parts.scale.hidden = !hasMaps || none || !state.overlay;
  parts['colour-map'].hidden = state.against; // red and blue have a meaning
  const share = peak > 0 ? Math.round((100 * peak) / scaleEnd(state)) : 0;
  parts.note.textContent = hasMaps && (square || none) ? describeEvidence(state, square, share) : '';
  parts.peak.hidden = !(peak > 0);
  parts.peak.style.left = `${Math.min(100, state.against ? 50 + share / 2 : share)}%`;
  parts['scale-start'].textContent = state.against ? 'against' : '0';
  parts['scale-end'].textContent = state.against ? 'for; strongest in' : 'strongest in';
  const what = state.against ? 'Colours of the map, blue against and red for the diagnosis' : 'Colours of the map, from no evidence on';
  parts.ramp.setAttribute('aria-label', `${what}; ` +
    (peak > 0 ? `this slice reaches ${share} % of the scale` : 'this slice has none'));
  parts.ramp.title = peak > 0 ? `This slice reaches ${share} % of the scale` : '';
}

function describeEvidence(state, square, share) { // what colours alone would not say
  const { head } = state.packed;
  const name = head.classes[state.chosen];
  const inCase = !(head.maxima[state.chosen] > 0);
  const where = inCase ? 'in this case' : 'on this slice';
  if (head.shows === 'spread') return strengthOf(state, square, 'peaks') > 0 ? '' : `The repeats do not differ ${where}`;
  if (!(strengthOf(state, square, 'peaks') > 0)) {
    const against = head.signed && (inCase ? strongestAgainst(state) : strengthOf(state, square, 'troughs')) > 0;
    return `No positive evidence for ${name} ${where}${against ? `; some against it${state.against ? ' (blue)' : ''}` : ''}`;
  }
  if (state.overlay && share < 100 * FAINT) return `Faint: ${share < 1 ? 'less than 1' : share} % of the scale`;
  return '';
}
