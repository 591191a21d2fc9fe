"""The tutorial's subscriber: prints what comes, as text and in hexadecimal.

usage: subscribe.py HOST PORT TOPIC
"""

import random
import sys

from paho.mqtt import client as mqtt

host, port, topic = sys.argv[1:]
sys.stdout.reconfigure(encoding="utf-8")


def on_connect(client, userdata, flags, rc):
    print("Connected to MQTT Broker!" if rc == 0 else f"Failed to connect, return code {rc}", flush=True)
    client.subscribe(topic)


def on_subscribe(client, userdata, mid, granted_qos):
    print(f"Subscribed to `{topic}`", flush=True)


def on_message(client, userdata, message):
    text = message.payload.decode(errors="backslashreplace")
    print(f"Received `{text}` ({message.payload.hex()}) from `{message.topic}` topic", flush=True)


client = mqtt.Client(f"python-mqtt-{random.randint(0, 1000)}")
client.on_connect = on_connect
client.on_subscribe = on_subscribe
client.on_message = on_message
client.connect(host, int(port))
client.loop_forever()
