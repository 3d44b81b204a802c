// openai-mock-api on a free loopback port: its own command takes no port 0 and listens on every interface.
//   node openai_mock_api.mjs CONFIG
import { ConfigLoader, Logger, MockServer } from "openai-mock-api";

const logger = new Logger();
const config = await new ConfigLoader(logger).load(process.argv[2]);
const listener = new MockServer(config, logger).app.listen(0, "127.0.0.1", () => {
  console.log(`listening on http://127.0.0.1:${listener.address().port}`);
});
