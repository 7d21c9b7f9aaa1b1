import { render } from "preact";
const data = JSON.parse(document.getElementById("data")!.textContent!);
render(
  <main>
    <h1>{data.title}</h1>
    <pre>{JSON.stringify(data, null, 1)}</pre>
  </main>,
  document.getElementById("app")!,
);
