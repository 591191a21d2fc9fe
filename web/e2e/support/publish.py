"""The tutorial's publisher: a counter to a topic, once a second.

usage: publish.py HOST PORT TOPIC [PAYLOAD-IN-HEX ...]
With payloads it publishes those, and leaves.
"""

import random
import sys
import time

from paho.mqtt import client as mqtt

host, port, topic, *payloads = sys.argv[1:]


def on_connect(client, userdata, flags, rc):
    print("Connected to MQTT Broker!" if rc == 0 else f"Failed to connect, return code {rc}", flush=True)


def publish(client, payload, shown):
    info = client.publish(topic, payload)
    if info.rc == mqtt.MQTT_ERR_SUCCESS:
        info.wait_for_publish()
        print(f"Send `{shown}` to topic `{topic}`", flush=True)
    else:
        print(f"Failed to send message to topic {topic}", flush=True)


client = mqtt.Client(f"python-mqtt-{random.randint(0, 1000)}")
client.on_connect = on_connect
client.connect(host, int(port))
client.loop_start()
while not client.is_connected():
    time.sleep(0.01)
for payload in payloads:
    publish(client, bytes.fromhex(payload), payload)
count = 0
while not payloads:
    time.sleep(1)
    publish(client, f"messages: {count}", f"messages: {count}")
    count += 1
client.disconnect()
client.loop_stop()
