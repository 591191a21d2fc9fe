/** MQTT.js' names, callbacks and events over this client. What differs is in docs/moving-from-mqttjs.md. */

import * as mqtt from './mqtt';

export * from './mqtt';
/** Everything, including the types: programs write `mqtt.MqttClient`. */
export default mqtt;
