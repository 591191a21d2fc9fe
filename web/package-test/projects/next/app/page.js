'use client';

import { connect } from 'mqttwasm';
import mqtt from 'mqttwasm/compat';
import 'mqttwasm/elements';
import { useEffect } from 'react';
import { run } from '../run.js';

export default function Page() {
  useEffect(() => {
    run({ connect, mqtt }, new URLSearchParams(location.search).get('broker'));
  }, []);
  return <h1>mqttwasm</h1>;
}
