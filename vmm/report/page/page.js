// SPDX-License-Identifier: GPL-2.0-only
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const byId = (id) => document.getElementById(id);
const LEVELS = [['l0', 'L0'], ['monitor', 'Monitor'], ['vmm', 'VMM']];
const PLACEMENTS = [['cpu', 'processor'], ['l0', 'L0'], ['monitor', 'monitor'], ['vmm', 'VMM'],
	['unknown', 'not observed'], ['none', 'not performed to the end']];
// Where KVM interprets the guest there are no hardware exits to count.
const COUNTED = { l0: data.backend === 'pvm' ? 'instructions' : 'exits', monitor: 'exits', vmm: 'exits' };
const ROW = 26, FAMILY = 26, HEAD = 44, MEDIAN = 76, LABEL = 36;

// --- small helpers

function element(name, attributes = {}, ...children) {
	const made = document.createElement(name);
	for (const [key, value] of Object.entries(attributes))
		made.setAttribute(key, value);
	made.append(...children);
	return made;
}

function shape(name, attributes = {}, ...children) {
	const made = document.createElementNS('http://www.w3.org/2000/svg', name);
	for (const [key, value] of Object.entries(attributes))
		made.setAttribute(key, value);
	made.append(...children);
	return made;
}

const byText = (a, b) => (a > b) - (a < b);
const isNumber = (value) => typeof value === 'number';
const placementOf = (row) => row.placement === null ? 'none' :
	PLACEMENTS.some(([key]) => key === row.placement) ? row.placement : 'unknown';
// "cr0.ts.mov", and whose row it is where VMs differ.
const titleOf = (row) => row.vm === null ? row.operation : `${row.operation} · VM ${row.vm}`;

function ticks(value) {
	if (!isNumber(value))
		return value ?? '–';
	return value < 99.95 ? value.toFixed(1) : Math.round(value).toLocaleString('en');
}

// Less than a tenth of a percent is not nothing, and what misses one is not all.
function share(value) {
	if (!isNumber(value))
		return value ?? '–';
	return value > 0 && value < 0.05 ? '<0.1' : value < 100 && value >= 99.95 ? '>99.9' : value.toFixed(1);
}

function count(value) {
	return isNumber(value) ? value.toLocaleString('en') : value ?? '–';
}

// "1k", "100k", "10M"
function short(value) {
	const unit = [[1e9, 'G'], [1e6, 'M'], [1e3, 'k']].find(([size]) => value >= size);
	return unit ? `${value / unit[0]}${unit[1]}` : String(value);
}

// --- what is shown

const rows = data.operations.map((row, index) => ({
	...row,
	index,
	placement: placementOf(row),
	title: titleOf(row),
	family: row.operation.split('.')[0],
	ticks_max: row.distribution?.max ?? null,
	spread: isNumber(row.ticks_p99) && row.ticks_median > 0 ? row.ticks_p99 / row.ticks_median : null,
}));
// Where VMs differ an operation has several rows.
const UNIT = rows.some((row) => row.vm !== null) ? 'rows of one VM or of all' : 'operations';
const families = [...new Set(rows.map((row) => row.family))];
const view = { filter: '', order: 'catalogue', hidden: new Set() };

// The words of a search: shell patterns, or parts of a name.
function matcher(text) {
	const words = text.trim().split(/\s+/).filter(Boolean);
	const patterns = words.map((word) => {
		const escaped = word.replace(/[.+^${}()|[\]\\]/g, '\\$&').replace(/\*/g, '.*').replace(/\?/g, '.');
		return new RegExp(/[*?]/.test(word) ? `^${escaped}$` : escaped, 'i');
	});
	return (name) => patterns.length === 0 || patterns.some((pattern) => pattern.test(name));
}

function shownRows() {
	const matches = matcher(view.filter);
	const shown = rows.filter((row) => matches(row.operation) && !view.hidden.has(row.placement));
	const key = view.order;
	if (key === 'operation')
		shown.sort((a, b) => byText(a.operation, b.operation));
	else if (key === 'catalogue')
		shown.sort((a, b) => families.indexOf(a.family) - families.indexOf(b.family) || a.index - b.index);
	else
		shown.sort((a, b) => (isNumber(b[key]) ? b[key] : -1) - (isNumber(a[key]) ? a[key] : -1) || a.index - b.index);
	return shown;
}

// --- the chart

// Exits: as many pixels for 0 to 1 as for 1 to 3 and 3 to 7.
function exitScale(width) {
	const most = Math.max(1, ...rows.flatMap((row) => LEVELS.map(([key]) => isNumber(row[key]) ? row[key] : 0)));
	const top = Math.log2(1 + most);
	return (value) => width * Math.log2(1 + value) / top;
}

function tickScale(left, width) {
	const values = rows.flatMap((row) => [row.ticks_min, row.ticks_max]).filter((value) => value > 0);
	const low = values.length ? Math.floor(Math.log10(Math.min(...values))) : 0;
	const high = Math.max(low + 1, values.length ? Math.ceil(Math.log10(Math.max(...values))) : 1);
	const at = (value) => left + width * (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low);
	return { at, decades: Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)) };
}

function layout(width) {
	const longest = Math.max(9, ...rows.map((row) => row.title.length));
	const names = Math.min(longest * 7.4 + 22, width * 0.34);
	const level = Math.max(44, Math.min(130, (width - names) * 0.1));
	const levels = LEVELS.map((_, i) => names + i * (level + 18));
	const left = names + LEVELS.length * (level + 18) + 12;
	const scale = tickScale(left, Math.max(80, width - left - MEDIAN - 18));
	return { width, names, levels, exits: exitScale(level - 26), level, scale };
}

// As many decades as have room for their labels, at equal distances.
function labelled(scale) {
	const apart = scale.at(scale.decades[1]) - scale.at(scale.decades[0]);
	const step = Math.ceil(LABEL / apart);
	return scale.decades.filter((_, i) => i % step === 0);
}

function drawAxis(place) {
	const svg = shape('svg', { height: HEAD, viewBox: `0 0 ${place.width} ${HEAD}` });
	svg.append(shape('text', { x: 0, y: 18, class: 'head' }, 'Operation'));
	LEVELS.forEach(([, title], i) =>
		svg.append(shape('text', { x: place.levels[i], y: 18, class: 'head' }, title)));
	LEVELS.forEach(([key], i) =>
		svg.append(shape('text', { x: place.levels[i], y: 36, class: 'soft' }, COUNTED[key])));
	svg.append(shape('text', { x: place.scale.at(place.scale.decades[0]), y: 18, class: 'head' },
		'TSC ticks per repetition'));
	svg.append(shape('text', { x: place.width, y: 18, class: 'head', 'text-anchor': 'end' }, 'Median'));
	for (const decade of labelled(place.scale))
		svg.append(shape('text', { x: place.scale.at(decade), y: 36, class: 'soft decade', 'text-anchor': 'middle' },
			short(decade)));
	byId('axis').replaceChildren(svg);
}

function drawExits(group, row, place, y) {
	LEVELS.forEach(([key], i) => {
		const value = row[key], x = place.levels[i];
		if (isNumber(value) && value > 0)
			group.append(shape('rect', { class: `bar-${key}`, x, y: y + 7, height: ROW - 14, rx: 1.5,
				width: Math.max(2, place.exits(value)) }));
		const text = isNumber(value) ? count(value) : value === null ? '–' : '?';
		group.append(shape('text', { class: value ? '' : 'soft', y: y + 17,
			x: x + (value > 0 ? place.exits(value) + 5 : 0) }, text));
	});
}

// The histogram stands on a line from the least to the largest sample.
function drawTicks(group, row, place, y) {
	const at = place.scale.at, base = y + ROW - 3, tall = ROW - 7;
	group.append(shape('text', { class: isNumber(row.ticks_median) ? 'value' : 'soft', x: place.width, y: y + 17,
		'text-anchor': 'end' }, isNumber(row.ticks_median) ? ticks(row.ticks_median) : '?'));
	if (!isNumber(row.ticks_median))
		return;
	if (row.distribution) {
		const { bins, per_octave: fine } = row.distribution;
		const most = Math.max(...bins.map(([, number]) => number));
		let path = '';
		for (const [bin, number] of bins) {
			const x = at(2 ** (bin / fine)), next = Math.max(x + 3, at(2 ** ((bin + 1) / fine)));
			const height = Math.max(2, tall * Math.sqrt(number / most));
			path += `M${x.toFixed(1)} ${base}V${(base - height).toFixed(1)}H${next.toFixed(1)}V${base}Z`;
		}
		group.append(shape('line', { class: 'whisker', x1: at(row.ticks_min), x2: at(row.ticks_max), y1: base, y2: base }),
			shape('path', { class: 'bins', d: path }),
			shape('circle', { class: 'max', cx: at(row.ticks_max), cy: base - 3, r: 2.5 }));
	}
	group.append(shape('line', { class: 'p99', x1: at(row.ticks_p99), x2: at(row.ticks_p99), y1: base - 8, y2: base }),
		shape('line', { class: 'median', x1: at(row.ticks_median), x2: at(row.ticks_median), y1: y + 2, y2: base + 1 }));
}

function drawRow(row, place, y) {
	const group = shape('g', { class: `row ${row.placement}`, 'data-index': row.index });
	group.append(shape('rect', { class: 'hover', x: -8, y, width: place.width + 16, height: ROW, rx: 3 }),
		shape('rect', { class: 'dot', x: 0, y: y + 9, width: 8, height: 8, rx: 2 }),
		shape('text', { class: 'name', x: 15, y: y + 17 }, row.title));
	drawExits(group, row, place, y);
	drawTicks(group, row, place, y);
	return group;
}

function drawGrid(place, height) {
	const grid = shape('g');
	const lines = [...place.scale.decades.map(place.scale.at), ...place.levels.map((x) => x - 0.5)];
	for (const x of lines)
		grid.append(shape('line', { class: 'grid', x1: x, x2: x, y1: 0, y2: height }));
	for (const decade of place.scale.decades.slice(0, labelled(place.scale).length === place.scale.decades.length ? -1 : 0))
		for (const part of [2, 5].map((times) => place.scale.at(times * decade)))
			grid.append(shape('line', { class: 'grid fine', x1: part, x2: part, y1: 0, y2: height }));
	return grid;
}

function drawChart() {
	if (rows.length === 0)
		return;
	const shown = shownRows(), place = layout(Math.max(320, byId('chart').clientWidth));
	const svg = shape('svg', { role: 'img', 'aria-labelledby': 'chart-title', 'aria-describedby': 'table-title' });
	const headed = view.order === 'catalogue' && new Set(shown.map((row) => row.family)).size > 1;
	const drawn = [];
	let y = 4, family = null;
	for (const row of shown) {
		if (headed && row.family !== family) {
			family = row.family;
			drawn.push(shape('text', { class: 'family', x: 0, y: y + 16 }, family));
			y += FAMILY;
		}
		drawn.push(drawRow(row, place, y));
		y += ROW;
	}
	svg.setAttribute('viewBox', `0 0 ${place.width} ${y + 4}`);
	svg.setAttribute('height', y + 4);
	svg.append(drawGrid(place, y + 4), ...drawn);
	byId('chart').replaceChildren(svg);
	byId('none').hidden = shown.length > 0;
	drawAxis(place);
}

// --- numbers of one row, under the pointer

function showTip(event) {
	const group = event.target.closest?.('.row'), tip = byId('tip');
	tip.hidden = !group;
	if (!group)
		return;
	const row = rows[Number(group.dataset.index)];
	const facts = [['repetitions', count(row.repetitions)], ...LEVELS.map(([key, title]) => [`${COUNTED[key]} at ${title}`, count(row[key])]),
		['ticks, least', ticks(row.ticks_min)], ['median', ticks(row.ticks_median)], ['99th percentile', ticks(row.ticks_p99)],
		['maximum', ticks(row.ticks_max)]];
	tip.replaceChildren(element('strong', {}, row.title),
		element('table', {}, ...facts.map(([name, value]) =>
			element('tr', {}, element('td', {}, name), element('td', { class: 'number' }, value)))));
	const box = tip.getBoundingClientRect();
	tip.style.left = `${Math.max(4, Math.min(event.clientX + 16, innerWidth - box.width - 12))}px`;
	tip.style.top = `${Math.max(4, Math.min(event.clientY + 16, innerHeight - box.height - 12))}px`;
}

// --- tables

// A column: key, title, and how a value is written; of numbers the default order is descending.
function makeTable(table, caption, columns, list) {
	let sorted = null, down = false;

	function cell(row, column, i) {
		const text = column.write(row[column.key]);
		const quiet = row[column.key] === null || row[column.key] === 'not observed';
		const bar = column.bar && isNumber(row[column.key]);
		const classes = [column.number && 'number', column.name && 'name', quiet && 'quiet',
			bar && `share ${row.level}`].filter(Boolean);
		const made = element(i === 0 ? 'th' : 'td', classes.length ? { class: classes.join(' ') } : {}, text);
		if (bar)
			made.style.setProperty('--part', row[column.key] / 100);
		if (i === 0)
			made.scope = 'row';
		return made;
	}

	function fill() {
		const order = [...list];
		if (sorted) {
			const value = (row) => row[sorted.key];
			order.sort((a, b) => {
				const [x, y] = [value(a), value(b)];
				if (sorted.number && isNumber(x) !== isNumber(y))
					return isNumber(x) ? -1 : 1; // what is not known comes last
				const first = sorted.number ? x - y : byText(String(x), String(y));
				return down ? -first : first;
			});
		}
		body.replaceChildren(...order.map((row) => element('tr', {}, ...columns.map((column, i) => cell(row, column, i)))));
		heads.forEach((head, i) => head.setAttribute('aria-sort',
			columns[i] !== sorted ? 'none' : down ? 'descending' : 'ascending'));
	}

	const heads = columns.map((column) => {
		const button = element('button', { type: 'button' }, column.title);
		button.addEventListener('click', () => {
			down = sorted === column ? !down : Boolean(column.number);
			sorted = column;
			fill();
		});
		return element('th', { scope: 'col', ...(column.number ? { class: 'number' } : {}) }, button);
	});
	const body = element('tbody');
	table.replaceChildren(element('caption', {}, caption), element('thead', {}, element('tr', {}, ...heads)), body);
	fill();
}

function placementTag(key) {
	const title = PLACEMENTS.find(([name]) => name === key)?.[1] ?? key;
	return element('span', { class: `tag ${key}` }, title);
}

function makeTables() {
	const plain = (value) => value ?? '–';
	if (rows.length > 0)
		makeTable(byId('table'), `${rows.length} ${UNIT}. Exits and ticks are per repetition.`, [
			{ key: 'title', title: 'Operation', write: plain, name: true },
			{ key: 'placement', title: 'Completed by', write: placementTag },
			{ key: 'outcome', title: 'Outcome', write: plain, name: true },
			{ key: 'repetitions', title: 'N', write: count, number: true },
			...LEVELS.map(([key, title]) => ({ key, title, write: count, number: true })),
			{ key: 'ticks_min', title: 'Min', write: ticks, number: true },
			{ key: 'ticks_median', title: 'Median', write: ticks, number: true },
			{ key: 'ticks_p99', title: 'P99', write: ticks, number: true },
			{ key: 'ticks_max', title: 'Max', write: ticks, number: true },
		], rows);
	const exits = [{ key: 'level', title: 'Level', write: placementTag },
		{ key: 'exits', title: 'Exits', write: count, number: true },
		{ key: 'share', title: 'Share', write: share, number: true, bar: true },
		{ key: 'ticks_mean', title: 'Mean ticks', write: ticks, number: true },
		{ key: 'ticks_median', title: 'Median', write: ticks, number: true },
		{ key: 'ticks_p99', title: 'P99', write: ticks, number: true },
		{ key: 'ticks_max', title: 'Max', write: ticks, number: true },
		{ key: 'handling_ticks', title: 'All ticks', write: count, number: true }];
	const most = (list, total) => list.length < total ? `, the ${list.length} most frequent of ${total}` : '';
	const names = (...columns) => [...columns.map(([key, title]) => ({ key, title, write: plain, name: true })), ...exits];
	makeTable(byId('reasons'), 'By reason, with the ticks of handling them.', names(['reason', 'Reason']), data.reasons);
	makeTable(byId('functions'), `By function${most(data.functions, data.functions_total)}.`,
		names(['symbol', 'Function']), data.functions);
	// Of a VM of others nobody knows the instructions.
	const instruction = data.places.some((row) => row.instruction !== 'not observed') ? [['instruction', 'Instruction']] : [];
	makeTable(byId('places'), `By ${instruction.length ? 'instruction' : 'address'}${most(data.places, data.places_total)}.`,
		names(['at', 'At'], ...instruction), data.places);
}

// What there is nothing to say of is not there.
function leaveOut() {
	/* Where no name is known there is an address, or nothing. */
	const named = data.functions.some((row) => !/^(\?$|0x)/.test(row.symbol));
	byId('chart-section').hidden = byId('numbers-section').hidden = rows.length === 0;
	byId('reasons-section').hidden = data.reasons.length === 0;
	byId('functions').parentElement.hidden = !named;
	byId('recorded').hidden = rows.length === 0;
	byId('nothing').hidden = rows.length + data.reasons.length > 0;
}

// --- everything around

function makeHeader() {
	byId('title').textContent = data.guest === 'built-in' ? 'Ledger of the built-in guest' : data.guest;
	document.title = `sidestep ledger: ${data.guest}`;
	byId('run').textContent = `Engine ${data.engine} on ${data.module}, Linux ${data.kernel}, ` +
		`${data.vms} VM × ${data.vcpus} vCPU`;
	const warnings = [data.complaint, data.end && `The run ended early: ${data.end}`,
		data.samples_dropped && 'Ticks are of the first samples only',
		data.lost > 0 && `${count(data.lost)} records found no room in the ledger`].filter(Boolean);
	byId('warning').textContent = warnings.join('. ');
	byId('warning').hidden = warnings.length === 0;
	const tile = (key, title, number, what) => element('div', { class: key }, element('dt', {}, title),
		element('dd', {}, count(number), element('small', {}, ` ${what}`)));
	const exits = LEVELS.map(([key, title]) => [key, title, data.reasons.filter((row) => row.level === key)]);
	const completed = PLACEMENTS.filter(([key]) => rows.some((row) => row.placement === key));
	byId('tiles').replaceChildren(...completed.map(([key, title]) => {
		const number = rows.filter((row) => row.placement === key).length;
		const told = { unknown: 'Not observed', none: 'Not performed to the end' };
		return tile(key, told[key] ?? `Completed by the ${title}`.replace('the L0', 'L0'), number, `of ${rows.length} ${UNIT}`);
	}), ...exits.filter(([, , list]) => rows.length === 0 && list.length > 0).map(([key, title, list]) =>
		tile(key, key === 'l0' ? 'Exits at L0' : `Exits at the ${PLACEMENTS.find(([name]) => name === key)[1]}`, list.reduce((sum, row) => sum + row.exits, 0),
			`for ${list.length} reason${list.length === 1 ? '' : 's'}`)));
	const told = (texts) => LEVELS.flatMap(([key, title]) =>
		[element('dt', {}, title), element('dd', {}, texts[key])]);
	byId('recorded').replaceChildren(...told(data.recorded));
	// Without operations there are only exits that left a record.
	byId('evidence').replaceChildren(...told(rows.length > 0 ? data.evidence : data.recorded), ...(data.tracepoints === null ? [] :
		[element('dt', {}, 'Tracepoints'), element('dd', {}, data.tracepoints)]));
	const plans = new Set(data.plans.filter((plan) => plan !== null));
	byId('plans').replaceChildren(...(plans.size < 2 ? [] : data.plans.map((plan, vm) =>
		element('li', {}, `VM ${vm}: ${plan ?? 'not known'}`))));
	const known = (before, text, behind = '') => text === null ? '' : before + text + behind;
	byId('notes').replaceChildren(...data.violations.map((one) => element('li', {},
		`${count(one.count)} × view ${one.view} (${one.view_name}) forbade a ${one.access} ` +
		`${known('of ', one.region, ' ')}at ${one.gpa} by rip ${one.rip}${known(' (', one.symbol, ')')}` +
		`${known(', ', one.instruction)}${known(', value ', one.value)}${known(', at ', one.source)} ` +
		`in ${one.operation}: ${one.answer}`)));
}

function makeLegend() {
	const mark = (text, ...shapes) => element('span', {},
		shape('svg', { width: 26, height: 16, viewBox: '0 0 26 16', style: 'width:26px' }, ...shapes), text);
	byId('legend').replaceChildren(
		mark('samples', shape('path', { class: 'bins bar-l0', d: 'M2 14V8H8V14ZM8 14V2H14V14ZM14 14V10H20V14Z' })),
		mark('median', shape('line', { class: 'median', x1: 13, x2: 13, y1: 1, y2: 15 })),
		mark('99th percentile', shape('line', { class: 'p99', x1: 13, x2: 13, y1: 6, y2: 14 })),
		mark('maximum', shape('circle', { class: 'max l0', cx: 13, cy: 9, r: 3 })),
		mark('not observed', shape('text', { class: 'soft', x: 10, y: 13 }, '?')),
		mark('no such level', shape('text', { class: 'soft', x: 10, y: 13 }, '–')));
}

function makeControls() {
	byId('controls').addEventListener('submit', (event) => event.preventDefault());
	byId('filter').addEventListener('input', (event) => {
		view.filter = event.target.value;
		drawChart();
	});
	byId('order').addEventListener('change', (event) => {
		view.order = event.target.value;
		drawChart();
	});
	for (const [key, title] of PLACEMENTS) {
		if (!rows.some((row) => row.placement === key))
			continue;
		const box = element('input', { type: 'checkbox', checked: '' });
		box.addEventListener('change', () => {
			if (box.checked)
				view.hidden.delete(key);
			else
				view.hidden.add(key);
			drawChart();
		});
		byId('placements').append(element('label', { class: key }, box, title));
	}
	byId('chart').addEventListener('pointermove', showTip);
	byId('chart').addEventListener('pointerleave', () => { byId('tip').hidden = true; });
	addEventListener('resize', drawChart);
	addEventListener('beforeprint', drawChart);
}

makeHeader();
makeLegend();
makeControls();
makeTables();
leaveOut();
drawChart();
