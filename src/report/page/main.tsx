/**
 * The page of a report: reads the data that stands in it, and shows it.
 *
 * @module
 */
import { render } from "preact";
import type { ReportData } from "../data.ts";
import { App } from "./app.tsx";

const data = JSON.parse(document.getElementById("data")!.textContent!) as ReportData;
const place = document.getElementById("app")!;
place.textContent = "";
render(<App data={data} />, place);
