// Sends files and shows the answer. Every text from a file or its name goes in as textContent, never as HTML.
const byId = (id) => document.getElementById(id);

function cell(text, kind = "td") {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

function row(result, diagnoses) {
  const made = document.createElement("tr");
  made.append(cell(result.path));
  if ("error" in result) {
    const refused = cell(`refused: ${result.error}`);
    refused.colSpan = Math.max(1, diagnoses.length);
    made.append(refused);
    return made;
  }
  for (const name of diagnoses) {
    const probability = result.probabilities[name];
    const shown = cell(probability === null ? "withheld" : probability.toFixed(3));
    if (result.positive.includes(name)) shown.className = "positive";
    if (name in result.withheld) shown.title = result.withheld[name];
    made.append(shown);
  }
  return made;
}

function show(results) {
  const diagnoses = Object.keys(results.find((result) => result.probabilities)?.probabilities ?? {});
  byId("head").replaceChildren(...["recording", ...diagnoses].map((name) => cell(name, "th")));
  byId("rows").replaceChildren(...results.map((result) => row(result, diagnoses)));
  byId("results").hidden = false;
}

async function classify(event) {
  event.preventDefault();
  const body = new FormData();
  for (const file of byId("files").files) body.append("files", file, file.webkitRelativePath || file.name);
  const token = byId("token").value;
  byId("status").textContent = "Reading …";
  try {
    const answer = await fetch("/api/classify", {
      method: "POST",
      body,
      headers: token ? { Authorization: `Bearer ${token}` } : {},
    });
    const said = await answer.json();
    byId("status").textContent = answer.ok ? "Underlined: positive." : said.detail;
    show(answer.ok ? said : (said.errors ?? []));
  } catch {
    byId("status").textContent = "The server does not answer.";
  }
}

byId("form").addEventListener("submit", classify);
