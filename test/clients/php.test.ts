// PHP's streams do not read the environment: the program makes a context of it. They trust what SSL_CERT_FILE names.
import { testProgram } from "./children.ts";

const SCRIPT = `<?php
$proxy = str_replace("http://", "tcp://", getenv("http_proxy"));
$context = stream_context_create(["http" => ["proxy" => $proxy, "request_fulluri" => true]]);
echo file_get_contents($argv[1], false, $context);
`;

testProgram("PHP", {
  command: "php",
  readsCredentials: false,
  files: { "get.php": SCRIPT },
  args: (url) => ["get.php", url],
});
