// Reads queries by name as JSON from standard input and has Microsoft's own parser analyse each: syntax, functions,
// columns. Fails where one has a diagnostic.
require("@kusto/language-service-next/bridge.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.js");
const { KustoCode, GlobalState, Diagnostic } = Kusto.Language;
// https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language: the columns of the tables.
const text = ["id", "name", "type", "tenantId", "['kind']", "location", "resourceGroup", "subscriptionId", "managedBy", "apiVersion"];
const nested = ["sku", "plan", "properties", "tags", "identity", "zones", "extendedLocation"];
const columns = [...text.map((name) => `${name}:string`), ...nested.map((name) => `${name}:dynamic`)].join(", ");
const tables = ["resources", "resourcecontainers", "policyresources"].map((name) => `let ${name} = datatable(${columns})[];`).join("\n");
let failed = 0;
for (const [name, query] of Object.entries(JSON.parse(require("fs").readFileSync(0, "utf8")))) {
  const found = KustoCode.ParseAndAnalyze(`${tables}\n${query}`, GlobalState.Default).GetDiagnostics();
  const count = System.Array.getCount(found, Diagnostic);
  for (let index = 0; index < count; index++) console.error(`${name}: ${System.Array.getItem(found, index, Diagnostic).Message}`);
  failed += count > 0;
  console.log(`${count ? "broken" : "parses"}  ${name} (${query.length} characters)`);
}
process.exit(failed ? 1 : 0);
